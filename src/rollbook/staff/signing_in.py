"""A login and a password become a member, or nobody; a stranger cannot tell which part was wrong."""

import threading
import unicodedata
from datetime import datetime

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction

from rollbook.staff import audit, throttle
from rollbook.staff.models import KnownAddress, Member
from rollbook.staff.origins import origin
from rollbook.staff.password_rules import MOST_BYTES, as_typed
from rollbook.staff.remembering import Remembered

LONGEST_LOGIN = 254
AT_ONCE = 4

# Checking the throttle, hashing and counting the failure go together under it, so that guesses sent side by side
# overrun a limit by AT_ONCE - 1 at most, and hashing takes no more than AT_ONCE times 19 MiB.
_turn = threading.BoundedSemaphore(AT_ONCE)


remembered = Remembered()


class SignInFailed(Exception):
    """The login is unknown, the password is wrong, or the member is not active: one answer for all three."""


def fold_login(login: str) -> str:
    """The form in which logins are kept and compared; empty for what can be nobody's login."""
    folded = unicodedata.normalize("NFKC", login.strip()).strip().casefold()
    return folded if folded.isprintable() and len(folded) <= LONGEST_LOGIN else ""


def sign_in(login: str, password: str, address: str, now: datetime, agent: str = "") -> Member:
    """The member who is asking. Raises SignInFailed or Throttled; nothing is hashed for a caller who is throttled."""
    folded = fold_login(login)
    with _turn:
        throttle.require(folded, address, now)
        found = Member.objects.select_related("district", "role").filter(email=folded).first()
        if not _matches(found, password) or found is None or not found.is_active:
            _note_failure(folded, found, address, agent, now)
            raise SignInFailed
    _remember(found, address, agent, now)
    return found


def _matches(member: Member | None, password: str) -> bool:
    """Whether this is the member's password. It hashes exactly once, also when there is no member; and not at all if
    this was right a moment ago.
    """
    typed = as_typed(password)
    if len(typed.encode("utf-8", "surrogatepass")) > MOST_BYTES:
        return False
    if member is None:
        make_password(typed)
        return False
    if remembered.knows(member.pk, member.password, typed):
        return True
    matches = check_password(typed, member.password, setter=lambda raw: _upgrade(member, raw))
    if matches:
        remembered.note(member.pk, member.password, typed)
    return matches


def _upgrade(member: Member, password: str) -> None:
    """The stored hash is weaker than today's profile. If the password was changed meanwhile, that one stays."""
    stronger = make_password(password)
    with transaction.atomic():
        upgraded = Member.objects.filter(pk=member.pk, password=member.password).update(password=stronger)
    if upgraded:
        member.password = stronger  # a session that begins now is bound to it


def _note_failure(login: str, member: Member | None, address: str, agent: str, now: datetime) -> None:
    with transaction.atomic():
        throttle.note_failure(login, address, now)
        audit.record("sign in", "failed", member=member, address=address, agent=agent, now=now)


def _remember(member: Member, address: str, agent: str, now: datetime) -> None:
    """Once a day for each member and address: a script that polls writes nothing."""
    home = origin(address)
    known = KnownAddress.objects.filter(member=member, address=home)
    if known.filter(last_at__date=now.date()).exists():
        return
    with transaction.atomic():
        KnownAddress.objects.update_or_create(member=member, address=home, defaults={"last_at": now})
        audit.record("sign in", "ok", member=member, address=address, agent=agent, now=now)
