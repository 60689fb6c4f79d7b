"""A login and a password become a member, or nobody; a stranger cannot tell which part was wrong.

For who has a second factor they are the first half: second_factor.py has the other one.
"""

import threading
import unicodedata
from datetime import datetime

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction

from rollbook.accounts.audit import log
from rollbook.accounts.auth import throttle
from rollbook.accounts.auth.password_policy import MOST_BYTES, normalize_password
from rollbook.accounts.auth.sign_in_cache import SignInCache
from rollbook.accounts.models import AuditEvent, KnownAddress, Member
from rollbook.client_network import client_network

MAX_LOGIN_LENGTH = 254
MAX_CONCURRENT_HASHES = 4

# Checking the throttle, hashing and counting the failure go together under it, so that guesses sent side by side
# overrun a limit by AT_ONCE - 1 at most, and hashing takes no more than AT_ONCE times 19 MiB.
_hashing_slots = threading.BoundedSemaphore(MAX_CONCURRENT_HASHES)


sign_in_cache = SignInCache()

_NOT_ENOUGH = "password not enough"


class SignInFailed(Exception):
    """The login is unknown, the password is wrong, or the member is not active: one answer for all three."""


class SecondFactorRequired(Exception):
    """Login and password are right, but the member has a second factor, or (``is_missing``) must first have one."""

    def __init__(self, *, is_missing: bool) -> None:
        super().__init__(is_missing)
        self.is_missing = is_missing


def fold_login(login: str) -> str:
    """The form in which logins are kept and compared; empty for what can be nobody's login."""
    folded = unicodedata.normalize("NFKC", login.strip()).strip().casefold()
    return folded if folded.isprintable() and len(folded) <= MAX_LOGIN_LENGTH else ""


def sign_in(login: str, password: str, address: str, now: datetime, agent: str = "") -> Member:
    """The member who is asking, where login and password are all that is asked for. Raises SignInFailed, Throttled and
    PasswordNotEnough.
    """
    found = verify_password(login, password, address, now, agent)
    if found.has_second_factor or found.lacks_second_factor:
        _record_second_factor_required(found, address, agent, now)
        raise SecondFactorRequired(is_missing=found.lacks_second_factor)
    record_sign_in(found, address, agent, now)
    return found


def verify_password(
    login: str, password: str, address: str, now: datetime, agent: str = ""
) -> Member:
    """The member whose login and password these are; whether that is enough is for the caller to see.

    Raises SignInFailed or Throttled; nothing is hashed for a caller who is throttled.
    """
    folded = fold_login(login)
    with _hashing_slots:
        throttle.check_sign_in(folded, address, now)
        found = (
            Member.objects.select_related("district", "role", "second_factor")
            .filter(email=folded)
            .first()
        )
        if not _matches(found, password) or found is None or not found.is_active:
            _record_failure(folded, found, address, agent, now)
            raise SignInFailed
    return found


def record_sign_in(
    member: Member, address: str, agent: str, now: datetime, detail: str = ""
) -> None:
    """The member has signed in, with all that takes. Written once a day for each member and address: a script that
    polls writes nothing.
    """
    home = client_network(address)
    known = KnownAddress.objects.filter(member=member, address=home)
    if known.filter(last_seen_at__date=now.date()).exists():
        return
    with transaction.atomic():
        KnownAddress.objects.update_or_create(
            member=member, address=home, defaults={"last_seen_at": now}
        )
        log.record(
            "sign in", "ok", member=member, address=address, agent=agent, detail=detail, now=now
        )


def _matches(member: Member | None, password: str) -> bool:
    """Whether this is the member's password. It hashes exactly once, also when there is no member; and not at all if
    this was right a moment ago.
    """
    typed = normalize_password(password)
    if len(typed.encode("utf-8", "surrogatepass")) > MOST_BYTES:
        return False
    if member is None:
        make_password(typed)
        return False
    if sign_in_cache.contains(member.pk, member.password, typed):
        return True
    matches = check_password(typed, member.password, setter=lambda raw: _upgrade(member, raw))
    if matches:
        sign_in_cache.add(member.pk, member.password, typed)
    return matches


def _upgrade(member: Member, password: str) -> None:
    """The stored hash is weaker than today's profile. If the password was changed meanwhile, that one stays."""
    stronger = make_password(password)
    with transaction.atomic():
        upgraded = Member.objects.filter(pk=member.pk, password=member.password).update(
            password=stronger
        )
    if upgraded:
        member.password = stronger  # a session that begins now is bound to it


def _record_failure(
    login: str, member: Member | None, address: str, agent: str, now: datetime
) -> None:
    with transaction.atomic():
        throttle.record_failure(login, address, now)
        log.record("sign in", "failed", member=member, address=address, agent=agent, now=now)


def _record_second_factor_required(member: Member, address: str, agent: str, now: datetime) -> None:
    """Once a day for each member and address, like a sign-in: it is no guess, and a script tries it every night."""
    facts = {"member": member, "action": "sign in", "result": _NOT_ENOUGH, "address": address}
    today = AuditEvent.objects.filter(district=member.district, at__gte=_midnight(now), **facts)
    if not today.exists():
        log.record("sign in", _NOT_ENOUGH, member=member, address=address, agent=agent, now=now)


def _midnight(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0)
