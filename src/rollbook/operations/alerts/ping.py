"""Request the ping URL of a monitor such as healthchecks: regularly, and when something is wrong.

If the requests stop, the monitor alerts the operator, so this also works if the whole machine is
gone. Nothing but the codes of alerts is sent.
"""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from django.conf import settings
from django.db.models import Q

from rollbook.operations.alerts.models import Alert, AlertState, PingSchedule

TIMEOUT_S = 10.0
RETRY_AFTER = timedelta(minutes=1)

log = logging.getLogger(__name__)


class _NoRedirects(HTTPRedirectHandler):
    """Redirects are errors: they could lead to an address without TLS."""

    def redirect_request(self, *arguments: Any) -> None:
        """Refuse the redirect."""


def make_due(now: datetime) -> None:
    """Let the next check request the URL, because an alert has changed."""
    PingSchedule.objects.update(due_at=now)


def send_if_due(now: datetime) -> None:
    """Request the URL if it is due; only one process does so."""
    if not settings.PING_URL or not _claim(now):
        return
    problem = send(notified_codes())
    if problem:
        log.warning("the ping URL cannot be requested (%s); next try in a minute", problem)
        PingSchedule.objects.update(due_at=now + RETRY_AFTER)


def notified_codes() -> list[str]:
    """Return the codes of the alerts that the operator was notified of."""
    alerts = Alert.objects.filter(state=AlertState.NOTIFIED).order_by("code")
    return list(alerts.values_list("code", flat=True))


def send(codes: Iterable[str]) -> str:
    """Request the URL, with ``/fail`` if something is wrong.

    Args:
        codes: The codes of what is wrong.

    Returns:
        Why that failed; empty if it succeeded.
    """
    body = "\n".join(codes)
    url = urlsplit(settings.PING_URL)
    if body:
        url = url._replace(path=f"{url.path.rstrip('/')}/fail")
    headers = {"Content-Type": "text/plain", "User-Agent": "rollbook"}
    # The setting accepts https:// only.
    request = Request(url.geturl(), body.encode(), headers)  # noqa: S310
    try:
        build_opener(_NoRedirects).open(request, timeout=TIMEOUT_S).close()
    except HTTPError as error:
        return f"it responds with {error.code}"
    except URLError as error:
        return _describe(error.reason)
    except (OSError, HTTPException) as error:
        return _describe(error)
    return ""


def _describe(error: object) -> str:
    """Return an error without the URL, which contains the monitor's secret."""
    reason = getattr(error, "verify_message", "") or getattr(error, "strerror", "")
    return str(reason or type(error).__name__)


def _claim(now: datetime) -> bool:
    """Return whether the URL is due, and schedule the next request for all processes.

    A time further away than the interval was set with another clock.
    """
    interval = timedelta(minutes=settings.PING_MINUTES)
    PingSchedule.objects.get_or_create(pk=1, defaults={"due_at": now})
    is_due = Q(due_at__lte=now) | Q(due_at__gt=now + interval)
    return bool(PingSchedule.objects.filter(is_due, pk=1).update(due_at=now + interval))
