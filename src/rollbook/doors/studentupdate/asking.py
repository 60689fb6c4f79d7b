"""The member who asks: every door lets people in by the same steps, and writes down whom it let in or turned away."""

from datetime import datetime, timedelta

from django.conf import settings
from django.http import HttpRequest

from rollbook.doors.studentupdate.client import Credentials, address_of, agent_of
from rollbook.doors.studentupdate.refusals import Refused
from rollbook.staff import audit, signing_in, throttle, tokens
from rollbook.staff.models import Member, Token
from rollbook.staff.permissions import Permission
from rollbook.updates.wording import duration, listed


def require_https(request: HttpRequest) -> None:
    """No redirect: a script that sends a password in the clear has to be mended, not helped."""
    if not request.is_secure():
        raise Refused("use_https")


def require_unthrottled(request: HttpRequest, now: datetime) -> None:
    """Turn away an address from which too many sign-ins failed."""
    try:
        throttle.require_address(address_of(request), now)
    except throttle.Throttled as throttled:
        raise _wait(throttled) from None


def caller(request: HttpRequest, credentials: Credentials, now: datetime) -> tuple[Member, Token | None]:
    """Who is calling, and the token by which, unless it is by login and password."""
    if isinstance(credentials, tuple):
        return member_of(request, credentials, now), None
    try:
        token = tokens.sign_in(credentials.secret, address_of(request), now, agent_of(request))
    except tokens.TokenFailed:
        raise Refused("token_failed", tokens=tokens_page()) from None
    except throttle.Throttled as throttled:
        raise _wait(throttled) from None
    return token.member, token


def member_of(request: HttpRequest, credentials: tuple[str, str], now: datetime) -> Member:
    """The member with this login and password, if these are all that is asked of him."""
    try:
        return signing_in.sign_in(*credentials, address_of(request), now, agent_of(request))
    except signing_in.SignInFailed:
        raise Refused("sign_in_failed") from None
    except signing_in.PasswordNotEnough as half:
        raise _not_enough(half) from None
    except throttle.Throttled as throttled:
        raise _wait(throttled) from None


def require_right(request: HttpRequest, member: Member, action: str, now: datetime) -> None:
    """Everything here is about a district's updates, which one right covers."""
    if not member.may(Permission.UPDATE_STUDENTS):
        note(request, action, "not allowed", now, member=member)
        raise Refused("not_allowed")


def require_scope(request: HttpRequest, token: Token | None, action: str, now: datetime) -> None:
    """A token is for the commands that it was made for; a login with a password is for all."""
    if token and action not in token.scopes:
        note(request, action, "not allowed", now, member=token.member, detail=f"token {token.key}")
        raise Refused("token_scope", scope=action, has=listed(token.scopes), tokens=tokens_page())


def tokens_page() -> str:
    """Where members make tokens."""
    return f"{settings.URL}/account/tokens"


def note(
    request: HttpRequest, action: str, result: str, now: datetime, *, member: Member | None = None, detail: str = ""
) -> None:
    """Write into the audit what this request came to."""
    audit.record(
        action, result, member=member, address=address_of(request), agent=agent_of(request), detail=detail, now=now
    )


def note_exposed(request: HttpRequest, action: str, now: datetime) -> None:
    """A login or password stood in the address. Counted like a failed sign-in, so that nobody can fill the audit."""
    try:
        throttle.require_address(address_of(request), now)
    except throttle.Throttled:
        return
    throttle.note_failure("", address_of(request), now)
    note(request, action, "credentials in address", now)


def _not_enough(half: signing_in.PasswordNotEnough) -> Refused:
    if half.is_missing:
        return Refused("second_factor_missing", url=settings.URL)
    return Refused("token_needed", tokens=tokens_page())


def _wait(throttled: throttle.Throttled) -> Refused:
    wait = duration(timedelta(seconds=throttled.retry_after))
    return Refused("throttled", retry_after=throttled.retry_after, wait=wait)
