"""Add an id and a log line to each request, and handle errors without exposing details."""

import logging
import secrets
import sys
import time
from collections.abc import Callable

from django.db import Error
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse

from rollbook.db.schema_version import DatabaseIsNewer
from rollbook.db.schema_watch import watch
from rollbook.web.http.error_codes import ApiError
from rollbook.web.http.responses import error_response
from rollbook.web.pages.base import errors

MAX_PATH_LENGTH = 200

log = logging.getLogger(__name__)


def request_id(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Give each request an id. An id from the client isn't used, because it could be forged."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        started_at = time.monotonic()
        request.META[ID] = secrets.token_hex(8)
        response = get_response(request)
        response.headers["X-Request-Id"] = request.META[ID]
        response.headers.setdefault("Cache-Control", "no-store")
        if request.method == "HEAD":
            _remove_content(response)
        _log(request, response.status_code, time.monotonic() - started_at)
        return response

    return middleware


ID = "rollbook.request_id"


def wait_for_migration(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Answer 503 while the database is of another version, but say that this process is alive."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if watch.is_current or request.path in ALWAYS_ANSWERED:
            return get_response(request)
        return _upgrading(request)

    return middleware


ALWAYS_ANSWERED = ("/livez",)


def _upgrading(request: HttpRequest) -> HttpResponse:
    if errors.wants_page(request):
        return errors.upgrading(request)
    return error_response(request, ApiError("upgrading"))


def _is_of_another_version() -> bool:
    """Return whether the current exception may have been caused by tables of another version."""
    if not isinstance(sys.exc_info()[1], Error):
        return False
    try:
        return not watch.compare()
    except DatabaseIsNewer:
        return True
    except Exception:
        return False


def _remove_content(response: HttpResponseBase) -> None:
    if isinstance(response, HttpResponse):
        response.content = b""
    elif isinstance(response, StreamingHttpResponse):
        response.streaming_content = ()


def _log(request: HttpRequest, status: int, seconds: float) -> None:
    """Log the request without personal data: no query string, no IP address, no name."""
    log.info(
        "%s %s %d in %.0f ms, request %s",
        request.method,
        _path(request),
        status,
        seconds * 1000,
        request.META[ID],
    )


def _path(request: HttpRequest) -> str:
    """Return the path, unless it may contain a secret.

    An unknown path may contain anything, for example ``…/status&password=…``, and a path with a
    token works like a password.
    """
    match = request.resolver_match
    if match is None:
        return "unknown address"
    if "token" in match.kwargs:
        return f"/{match.route}"
    return request.path[:MAX_PATH_LENGTH]


def internal_error(request: HttpRequest) -> HttpResponse:
    """Log an unexpected exception with a reference; the response contains only the reference."""
    if _is_of_another_version():
        return _upgrading(request)
    reference = request.META.get(ID, "unknown")
    log.error("internal error, reference %s", reference, exc_info=True)
    if errors.wants_page(request):
        return errors.internal_error(request, reference)
    return error_response(request, ApiError("internal_error", id=reference))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Respond to an unknown address with a page or a line of text."""
    if errors.wants_page(request):
        return errors.not_found(request)
    return error_response(request, ApiError("not_found"))


def not_allowed(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Respond to a request without permission with a page or a line of text."""
    if errors.wants_page(request):
        return errors.not_allowed(request)
    return error_response(request, ApiError("not_allowed"))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Respond to a malformed request with a line of text."""
    return error_response(request, ApiError("bad_request"))
