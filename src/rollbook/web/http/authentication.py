"""Authenticate and authorize the member who sends a request, and record it in the audit log."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from urllib.parse import parse_qsl

from django.conf import settings
from django.http import HttpRequest

from rollbook.accounts.audit import log
from rollbook.accounts.auth import api_tokens, sign_in, throttle
from rollbook.accounts.auth.token_limits import NO_LIMITS, TokenLimits
from rollbook.accounts.models import Member, Token
from rollbook.accounts.permissions import Permission
from rollbook.districts.suspension import DistrictSuspended
from rollbook.text import format_duration, join_words
from rollbook.web.http.client import (
    Bearer,
    Credentials,
    address_of,
    agent_of,
    credentials_in_header,
)
from rollbook.web.http.error_codes import ApiError

SECRET_FIELDS = frozenset(
    {"login", "password", "user", "username", "email", "pass", "passwd", "pwd", "token", "key"}
)


def require_https(request: HttpRequest) -> None:
    """Raise ApiError for plain HTTP.

    There is no redirect: a script that sends a password unencrypted has to be fixed.
    """
    if not request.is_secure():
        raise ApiError("use_https")


def require_unthrottled(request: HttpRequest, now: datetime) -> None:
    """Raise ApiError if far too many sign-ins from the client's address have failed.

    A request with a valid token is never refused because of what others have done.
    """
    credentials = credentials_in_header(request)
    if isinstance(credentials, Bearer) and api_tokens.is_active(credentials.secret, now):
        return
    try:
        throttle.check_address(address_of(request), now)
    except throttle.RateLimited as throttled:
        raise _wait(throttled) from None


def authenticate(
    request: HttpRequest, credentials: Credentials, now: datetime
) -> tuple[Member, Token | None]:
    """Return the member, and the token unless the credentials are login and password.

    Raises:
        ApiError: If the credentials are wrong, insufficient or throttled, or the district is
            suspended.
    """
    if isinstance(credentials, tuple):
        return member_of(request, credentials, now), None
    try:
        token = api_tokens.sign_in(credentials.secret, address_of(request), now, agent_of(request))
    except api_tokens.TokenRejected:
        raise ApiError("token_failed", tokens=tokens_page()) from None
    except api_tokens.TokenElsewhere as elsewhere:
        networks = join_words(TokenLimits.of(elsewhere.token).networks)
        raise ApiError(
            "token_network", address=address_of(request), networks=networks, tokens=tokens_page()
        ) from None
    except throttle.RateLimited as throttled:
        raise _wait(throttled) from None
    except DistrictSuspended as suspended:
        raise suspension_error(suspended) from None
    return token.member, token


def member_of(request: HttpRequest, credentials: tuple[str, str], now: datetime) -> Member:
    """Return the member with this login and password.

    Raises:
        ApiError: If they are wrong or throttled, two-step verification is required, or the district
            is suspended.
    """
    try:
        return sign_in.sign_in(*credentials, address_of(request), now, agent_of(request))
    except sign_in.SignInFailed:
        raise ApiError("sign_in_failed") from None
    except sign_in.SecondFactorRequired as required:
        raise _second_factor_error(required) from None
    except throttle.RateLimited as throttled:
        raise _wait(throttled) from None
    except DistrictSuspended as suspended:
        raise suspension_error(suspended) from None


def require_permission(request: HttpRequest, member: Member, action: str, now: datetime) -> None:
    """Raise ApiError without the permission that all requests about updates need."""
    if not member.may(Permission.UPDATE_STUDENTS):
        audit_request(request, action, "not allowed", now, member=member)
        raise ApiError("not_allowed")


def require_scope(
    request: HttpRequest, token: Token | None, action: str, scope: str, now: datetime
) -> None:
    """Raise ApiError if the token does not include this scope; passwords include all."""
    if token and scope not in token.scopes:
        detail = f"token {token.key}"
        audit_request(request, action, "not allowed", now, member=token.member, detail=detail)
        scopes = join_words(token.scopes)
        raise ApiError("token_scope", scope=scope, has=scopes, tokens=tokens_page())


def require_mode(request: HttpRequest, token: Token | None, mode: str, now: datetime) -> None:
    """Raise ApiError if the token may not start updates in this mode; passwords may."""
    limits = TokenLimits.of(token) if token else NO_LIMITS
    if token and not limits.allows_mode(mode):
        detail = f"token {token.key}, mode {mode}"
        audit_request(request, "start", "not allowed", now, member=token.member, detail=detail)
        raise ApiError("token_mode", mode=mode, has=join_words(limits.modes), tokens=tokens_page())


def suspension_error(suspended: DistrictSuspended) -> ApiError:
    """Return the error for a request of a suspended district, with the reason."""
    return ApiError("district_suspended", reason=suspended)


def tokens_page() -> str:
    """Return the URL of the page where members create tokens."""
    return f"{settings.URL}/account/tokens"


def audit_request(
    request: HttpRequest,
    action: str,
    result: str,
    now: datetime,
    *,
    member: Member | None = None,
    detail: str = "",
    students: Iterable[int] = (),
) -> None:
    """Record the result of a request in the audit log, and which students its response shows."""
    log.record(
        action,
        result,
        member=member,
        address=address_of(request),
        agent=agent_of(request),
        detail=detail,
        students=students,
        now=now,
    )


def reject_exposed_credentials(
    request: HttpRequest, action: str, command: str, now: datetime
) -> None:
    """Refuse and record an address that contains a login, password or token.

    It counts as a failed sign-in, so that nobody can fill the audit log this way.

    Args:
        request: The request, of any method.
        action: What it was for, as in the audit.
        command: How to send the credentials instead.
        now: The current time.

    Raises:
        ApiError: if there are any.
    """
    query = request.META.get("QUERY_STRING", "")
    names = {name.casefold() for name, _ in parse_qsl(query, keep_blank_values=True)}
    if names & SECRET_FIELDS:
        _record_exposed_credentials(request, action, now)
        raise ApiError("credentials_in_address", command=command)


def _record_exposed_credentials(request: HttpRequest, action: str, now: datetime) -> None:
    try:
        throttle.begin_attempt(address_of(request), now).refuse()
    except throttle.RateLimited:
        return
    throttle.record_failure("", address_of(request), now)
    audit_request(request, action, "credentials in address", now)


def _second_factor_error(required: sign_in.SecondFactorRequired) -> ApiError:
    if required.is_missing:
        return ApiError("second_factor_missing", url=settings.URL)
    return ApiError("token_needed", tokens=tokens_page())


def _wait(throttled: throttle.RateLimited) -> ApiError:
    wait = format_duration(timedelta(seconds=throttled.retry_after))
    return ApiError("throttled", retry_after=throttled.retry_after, wait=wait)
