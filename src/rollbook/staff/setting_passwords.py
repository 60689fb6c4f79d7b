"""How a member comes to a password: the first one, another one, or one instead of a forgotten one."""

from datetime import datetime

from django.contrib.auth.hashers import make_password
from django.db import transaction

from rollbook.roster.reasons import Refused
from rollbook.staff import audit, letters, sessions, throttle
from rollbook.staff.links import GOOD_FOR
from rollbook.staff.models import LetterKind, Member, StaffLetter
from rollbook.staff.password_rules import as_typed, facts_about, problems_with
from rollbook.staff.signing_in import first_half, fold_login

_MEANWHILE = "it was changed a moment ago; sign in with the new one, or ask for another link"


class PasswordRefused(Refused):
    """This cannot be the password."""


def set_password(member: Member, password: str, now: datetime, *, address: str | None = None, agent: str = "") -> None:
    """Give the member this password, which ends the sessions and uses up the links there are.

    Raises PasswordRefused, also when somebody else was faster: of two that hold one link, one sets a password.
    """
    facts = facts_about(member.email, member.first_name, member.last_name, member.district.name)
    reasons = problems_with(password, facts)
    if reasons:
        raise PasswordRefused(reasons)
    stored, is_first, hashed = member.password, not member.has_usable_password(), make_password(as_typed(password))
    with transaction.atomic():
        if not Member.objects.filter(pk=member.pk, password=stored, is_active=True).update(password=hashed):
            raise PasswordRefused([_MEANWHILE])
        sessions.end_all(member)
        StaffLetter.objects.filter(member=member, kind__in=GOOD_FOR, sent_at=None).update(next_try_at=None)
        if not is_first:
            letters.write(member, LetterKind.PASSWORD_CHANGED, now)
        audit.record(
            "set password", "first" if is_first else "changed", member=member, address=address, agent=agent, now=now
        )
    member.password = hashed


def change_password(member: Member, old: str, new: str, address: str, now: datetime, agent: str = "") -> Member:
    """Let the member who knows the old password have another one; returns the member as signed in with it.

    Raises SignInFailed, Throttled and PasswordRefused. To try an old password is to try to sign in.
    """
    known = first_half(member.email, old, address, now, agent)
    set_password(known, new, now, address=address, agent=agent)
    return known


def ask_for_password(login: str, address: str, now: datetime, agent: str = "") -> None:
    """Mail a link to the member of this login, if there is one; nothing tells the caller whether there is.

    Raises Throttled for an address that has asked too often, whatever for.
    """
    throttle.require_request(address, now)
    folded = fold_login(login)
    with transaction.atomic():
        # Two that ask at the same time take turns.
        member = Member.objects.select_for_update().filter(email=folded, is_active=True).first()
        throttle.note_request(address, now)
        audit.record("ask for password", "asked", member=member, address=address, agent=agent, now=now)
        if not letters.wrote_lately(member, LetterKind.FORGOTTEN_PASSWORD, now) and member:
            letters.write(member, LetterKind.FORGOTTEN_PASSWORD, now)
