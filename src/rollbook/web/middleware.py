"""Add an id and a log line to each request, and handle errors without exposing details."""

import logging
import secrets
import sys
import time
from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.core.signals import request_finished
from django.db import Error
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse

from rollbook.db.schema_version import DatabaseIsNewer
from rollbook.db.schema_watch import watch
from rollbook.log_format import event_fields, request_context
from rollbook.security_headers import SECURITY_HEADERS
from rollbook.text import printable
from rollbook.web.http.client import address_of
from rollbook.web.http.error_codes import ApiError
from rollbook.web.http.responses import error_response
from rollbook.web.pages.base import errors

MAX_PATH_LENGTH = 200
MAX_HOST_LENGTH = 100
POLLED = frozenset({"/livez", "/readyz", "/healthz", "/metrics"})

log = logging.getLogger(__name__)


def request_id(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Give each request an id. An id from the client isn't used, because it could be forged."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        started_at = time.monotonic()
        request.META[ID] = secrets.token_hex(8)
        request_context.set(_context(request))
        response = get_response(request)
        response.headers["X-Request-Id"] = request.META[ID]
        response.headers.setdefault("Cache-Control", "no-store")
        for name, value in SECURITY_HEADERS.items():
            response.headers.setdefault(name, value)
        if request.method == "HEAD":
            _remove_content(response)
        _log(request, response.status_code, (time.monotonic() - started_at) * 1000)
        return response

    return middleware


ID = "rollbook.request_id"


def require_known_host(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Answer 400 if the Host header names another server, except to monitors.

    Otherwise a page of another name that resolves to this server could read its responses.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.path in POLLED:
            request.META["HTTP_HOST"] = "localhost"  # Django compares it, too
        try:
            request.get_host()
        except DisallowedHost:
            host = printable(request.headers.get("Host", ""), MAX_HOST_LENGTH)
            return error_response(request, ApiError("unknown_host", host=repr(host)))
        return get_response(request)

    return middleware


def wait_for_migration(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Answer 503 while the database is of another version, but let monitors see why."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if watch.is_current or request.path in POLLED:
            return get_response(request)
        return _upgrading(request)

    return middleware


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


def _context(request: HttpRequest) -> dict[str, str]:
    """Return what each line that is logged during the request contains."""
    context = {"request_id": request.META[ID]}
    if settings.LOG_CLIENT_ADDRESS:
        context["client"] = address_of(request)
    return context


@receiver(request_finished, dispatch_uid="rollbook.request_context")
def _forget_context(**kwargs: object) -> None:
    """Forget the request when its response has been sent, however long that streamed."""
    request_context.set({})


def _log(request: HttpRequest, status: int, milliseconds: float) -> None:
    """Log the request without personal data: no query string and no name.

    A monitor that polls must not fill the log, so its successful requests are logged for debugging
    only.
    """
    path = _path(request, status)
    is_poll = path in POLLED and status == HTTPStatus.OK
    log.log(
        logging.DEBUG if is_poll else logging.INFO,
        "%s %s %d in %.0f ms",
        request.method,
        path,
        status,
        milliseconds,
        extra=event_fields(
            method=request.method, path=path, status=status, milliseconds=round(milliseconds)
        ),
    )


def _path(request: HttpRequest, status: int) -> str:
    """Return the path, unless it may contain a secret.

    An unknown path may contain anything, for example ``…/status&password=…``, and a path with a
    token works like a password.
    """
    match = request.resolver_match
    if match is None:
        # Static files are served before addresses are resolved, and only those that exist.
        if request.path.startswith(settings.STATIC_URL) and status < HTTPStatus.BAD_REQUEST:
            return request.path[:MAX_PATH_LENGTH]
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
