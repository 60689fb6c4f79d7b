"""The member who asks: every door lets people in by the same steps, and writes down whom it let in or turned away."""

from datetime import datetime, timedelta

from django.conf import settings
from django.http import HttpRequest

from rollbook.accounts.audit import log
from rollbook.accounts.auth import api_tokens, sign_in, throttle
from rollbook.accounts.models import Member, Token
from rollbook.accounts.permissions import Permission
from rollbook.text import duration, join_words
from rollbook.web.http.client import Credentials, address_of, agent_of
from rollbook.web.http.error_codes import ApiError


def require_https(request: HttpRequest) -> None:
    """No redirect: a script that sends a password in the clear has to be mended, not helped."""
    if not request.is_secure():
        raise ApiError("use_https")


def require_unthrottled(request: HttpRequest, now: datetime) -> None:
    """Turn away an address from which too many sign-ins failed."""
    try:
        throttle.check_address(address_of(request), now)
    except throttle.RateLimited as throttled:
        raise _wait(throttled) from None


def authenticate(
    request: HttpRequest, credentials: Credentials, now: datetime
) -> tuple[Member, Token | None]:
    """Who is calling, and the token by which, unless it is by login and password."""
    if isinstance(credentials, tuple):
        return member_of(request, credentials, now), None
    try:
        token = api_tokens.sign_in(credentials.secret, address_of(request), now, agent_of(request))
    except api_tokens.TokenRejected:
        raise ApiError("token_failed", tokens=tokens_page()) from None
    except throttle.RateLimited as throttled:
        raise _wait(throttled) from None
    return token.member, token


def member_of(request: HttpRequest, credentials: tuple[str, str], now: datetime) -> Member:
    """The member with this login and password, if these are all that is asked of him."""
    try:
        return sign_in.sign_in(*credentials, address_of(request), now, agent_of(request))
    except sign_in.SignInFailed:
        raise ApiError("sign_in_failed") from None
    except sign_in.SecondFactorRequired as half:
        raise _not_enough(half) from None
    except throttle.RateLimited as throttled:
        raise _wait(throttled) from None


def require_permission(request: HttpRequest, member: Member, action: str, now: datetime) -> None:
    """Everything here is about a district's updates, which one right covers."""
    if not member.may(Permission.UPDATE_STUDENTS):
        audit_request(request, action, "not allowed", now, member=member)
        raise ApiError("not_allowed")


def require_scope(request: HttpRequest, token: Token | None, action: str, now: datetime) -> None:
    """A token is for the commands that it was made for; a login with a password is for all."""
    if token and action not in token.scopes:
        audit_request(
            request, action, "not allowed", now, member=token.member, detail=f"token {token.key}"
        )
        raise ApiError(
            "token_scope", scope=action, has=join_words(token.scopes), tokens=tokens_page()
        )


def tokens_page() -> str:
    """Where members make tokens."""
    return f"{settings.URL}/account/tokens"


def audit_request(
    request: HttpRequest,
    action: str,
    result: str,
    now: datetime,
    *,
    member: Member | None = None,
    detail: str = "",
) -> None:
    """Write into the audit what this request came to."""
    log.record(
        action,
        result,
        member=member,
        address=address_of(request),
        agent=agent_of(request),
        detail=detail,
        now=now,
    )


def note_exposed(request: HttpRequest, action: str, now: datetime) -> None:
    """A login or password stood in the address. Counted like a failed sign-in, so that nobody can fill the audit."""
    try:
        throttle.check_address(address_of(request), now)
    except throttle.RateLimited:
        return
    throttle.record_failure("", address_of(request), now)
    audit_request(request, action, "credentials in address", now)


def _not_enough(half: sign_in.SecondFactorRequired) -> ApiError:
    if half.is_missing:
        return ApiError("second_factor_missing", url=settings.URL)
    return ApiError("token_needed", tokens=tokens_page())


def _wait(throttled: throttle.RateLimited) -> ApiError:
    wait = duration(timedelta(seconds=throttled.retry_after))
    return ApiError("throttled", retry_after=throttled.retry_after, wait=wait)
