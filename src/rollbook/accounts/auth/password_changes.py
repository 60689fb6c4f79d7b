"""Setting, changing and resetting a member's password."""

from datetime import datetime

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from rollbook.accounts import mails
from rollbook.accounts.audit import log
from rollbook.accounts.auth import sessions, throttle
from rollbook.accounts.auth.emailed_links import LIFETIME
from rollbook.accounts.auth.password_policy import (
    guessable_words,
    normalize_password,
    policy_violations,
)
from rollbook.accounts.auth.sign_in import fold_login, verify_password
from rollbook.accounts.models import AccountMail, AccountMailKind, Member
from rollbook.validation import ValidationFailed

_CHANGED_CONCURRENTLY = (
    "it was changed a moment ago; sign in with the new password, or request another link"
)
_USED_ELSEWHERE = (
    "you already sign in to another district with this email; ask who invited you to enter "
    "another email of yours"
)


class InvalidPassword(ValidationFailed):
    """This password is not accepted."""


def set_password(
    member: Member, password: str, now: datetime, *, address: str | None = None, agent: str = ""
) -> None:
    """Set the member's password, end their sessions and invalidate all links.

    Args:
        member: The member, as loaded when the request began.
        password: The new password.
        now: The current time.
        address: The client's address, for the audit log.
        agent: The client's User-Agent, for the audit log.

    Raises:
        InvalidPassword: The policy doesn't allow it, the password was changed since ``member`` was
            loaded, such as by another request with the same link, or a member of another district
            signs in with the email.
    """
    known_words = guessable_words(
        member.email, member.first_name, member.last_name, member.district.name
    )
    reasons = policy_violations(password, known_words)
    if reasons:
        raise InvalidPassword(reasons)
    is_first = not member.has_usable_password()
    hashed = make_password(normalize_password(password))
    with transaction.atomic():
        unchanged = Member.objects.filter(pk=member.pk, password=member.password, is_active=True)
        if not _save(unchanged, hashed):
            raise InvalidPassword([_CHANGED_CONCURRENTLY])
        sessions.end_all(member)
        pending = AccountMail.objects.filter(member=member, kind__in=LIFETIME, sent_at=None)
        pending.update(next_attempt_at=None)
        if not is_first:
            mails.queue_mail(member, AccountMailKind.PASSWORD_CHANGED, now)
        result = "first" if is_first else "changed"
        log.record("set password", result, member=member, address=address, agent=agent, now=now)
    member.password = hashed


def _save(member: "QuerySet[Member]", hashed: str) -> int:
    """Save the password; from now on, the member signs in with the email.

    Raises:
        InvalidPassword: A member of another district does. Only who reads the emails sent there
            learns that, never who has invited them.
    """
    try:
        with transaction.atomic():
            return member.update(password=hashed, holds_login=True)
    except IntegrityError:
        raise InvalidPassword([_USED_ELSEWHERE]) from None


def change_password(
    member: Member, old: str, new: str, address: str, now: datetime, agent: str = ""
) -> Member:
    """Change the password of a member who enters the old one.

    A wrong old password counts as a failed sign-in.

    Returns:
        The member with the new password.

    Raises:
        SignInFailed: The old password is wrong.
        RateLimited: Too many sign-ins failed.
        InvalidPassword: The new password is not accepted.
    """
    verified = verify_password(member.email, old, address, now, agent)
    set_password(verified, new, now, address=address, agent=agent)
    return verified


def request_password_reset(login: str, address: str, now: datetime, agent: str = "") -> None:
    """Email a link to the active member with this login, if there is one.

    The caller can't learn whether there is one.

    Raises:
        RateLimited: Too many resets were requested from this address, for any login.
    """
    throttle.check_request(address, now)
    folded = fold_login(login)
    with transaction.atomic():
        # The lock prevents two emails for two requests at the same time.
        members = Member.objects.select_for_update().filter(email=folded, is_active=True)
        # Without one who signs in with it, one who was invited; an old invitation doesn't matter.
        member = members.order_by("-holds_login", "-pk").first()
        throttle.record_request(address, now)
        log.record(
            "request password reset",
            "ok",
            member=member,
            address=address,
            agent=agent,
            now=now,
        )
        if not mails.recently_queued(member, AccountMailKind.FORGOTTEN_PASSWORD, now) and member:
            mails.queue_mail(member, AccountMailKind.FORGOTTEN_PASSWORD, now)
