"""The member who asks: every door lets people in by the same steps, and writes down whom it let in or turned away."""

from datetime import datetime, timedelta

from django.http import HttpRequest

from rollbook.doors.studentupdate.client import address_of, agent_of
from rollbook.doors.studentupdate.refusals import Refused
from rollbook.staff import audit, signing_in, throttle
from rollbook.staff.models import Member
from rollbook.staff.permissions import Permission
from rollbook.updates.wording import duration


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


def member_of(request: HttpRequest, credentials: tuple[str, str], now: datetime) -> Member:
    """The member with this login and password."""
    try:
        return signing_in.sign_in(*credentials, address_of(request), now, agent_of(request))
    except signing_in.SignInFailed:
        raise Refused("sign_in_failed") from None
    except throttle.Throttled as throttled:
        raise _wait(throttled) from None


def require_right(request: HttpRequest, member: Member, action: str, now: datetime) -> None:
    """Everything here is about a district's updates, which one right covers."""
    if not member.may(Permission.UPDATE_STUDENTS):
        note(request, action, "not allowed", now, member=member)
        raise Refused("not_allowed")


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


def _wait(throttled: throttle.Throttled) -> Refused:
    wait = duration(timedelta(seconds=throttled.retry_after))
    return Refused("throttled", retry_after=throttled.retry_after, wait=wait)
