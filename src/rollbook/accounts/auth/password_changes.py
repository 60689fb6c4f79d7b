"""How a member comes to a password: the first one, another one, or one instead of a forgotten one."""

from datetime import datetime

from django.contrib.auth.hashers import make_password
from django.db import transaction

from rollbook.accounts import mails
from rollbook.accounts.audit import log
from rollbook.accounts.auth import sessions, throttle
from rollbook.accounts.auth.emailed_links import LIFETIME
from rollbook.accounts.auth.password_policy import (
    facts_about,
    normalize_password,
    policy_violations,
)
from rollbook.accounts.auth.sign_in import fold_login, verify_password
from rollbook.accounts.models import AccountMail, AccountMailKind, Member
from rollbook.validation import ValidationFailed

_MEANWHILE = "it was changed a moment ago; sign in with the new one, or ask for another link"


class InvalidPassword(ValidationFailed):
    """This cannot be the password."""


def set_password(
    member: Member, password: str, now: datetime, *, address: str | None = None, agent: str = ""
) -> None:
    """Give the member this password, which ends the sessions and uses up the links there are.

    Raises PasswordRefused, also when somebody else was faster: of two that hold one link, one sets a password.
    """
    facts = facts_about(member.email, member.first_name, member.last_name, member.district.name)
    reasons = policy_violations(password, facts)
    if reasons:
        raise InvalidPassword(reasons)
    stored, is_first, hashed = (
        member.password,
        not member.has_usable_password(),
        make_password(normalize_password(password)),
    )
    with transaction.atomic():
        if not Member.objects.filter(pk=member.pk, password=stored, is_active=True).update(
            password=hashed
        ):
            raise InvalidPassword([_MEANWHILE])
        sessions.end_all(member)
        AccountMail.objects.filter(member=member, kind__in=LIFETIME, sent_at=None).update(
            next_attempt_at=None
        )
        if not is_first:
            mails.queue_mail(member, AccountMailKind.PASSWORD_CHANGED, now)
        log.record(
            "set password",
            "first" if is_first else "changed",
            member=member,
            address=address,
            agent=agent,
            now=now,
        )
    member.password = hashed


def change_password(
    member: Member, old: str, new: str, address: str, now: datetime, agent: str = ""
) -> Member:
    """Let the member who knows the old password have another one; returns the member as signed in with it.

    Raises SignInFailed, Throttled and PasswordRefused. To try an old password is to try to sign in.
    """
    known = verify_password(member.email, old, address, now, agent)
    set_password(known, new, now, address=address, agent=agent)
    return known


def request_password_reset(login: str, address: str, now: datetime, agent: str = "") -> None:
    """Mail a link to the member of this login, if there is one; nothing tells the caller whether there is.

    Raises Throttled for an address that has asked too often, whatever for.
    """
    throttle.check_request(address, now)
    folded = fold_login(login)
    with transaction.atomic():
        # Two that ask at the same time take turns.
        member = Member.objects.select_for_update().filter(email=folded, is_active=True).first()
        throttle.record_request(address, now)
        log.record(
            "ask for password", "asked", member=member, address=address, agent=agent, now=now
        )
        if not mails.recently_queued(member, AccountMailKind.FORGOTTEN_PASSWORD, now) and member:
            mails.queue_mail(member, AccountMailKind.FORGOTTEN_PASSWORD, now)
