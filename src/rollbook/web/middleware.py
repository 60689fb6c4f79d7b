"""Around every request: an id, one log line, and an answer without a trace when something of ours goes wrong."""

import logging
import secrets
import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse

from rollbook.web.http.error_codes import ApiError
from rollbook.web.http.responses import error_response
from rollbook.web.pages.base import errors

LONGEST_PATH = 200

log = logging.getLogger(__name__)


def request_id(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Give the request an id of ours; one that a client sends could be made to look like another's."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        begun = time.monotonic()
        request.META[ID] = secrets.token_hex(8)
        response = get_response(request)
        response.headers["X-Request-Id"] = request.META[ID]
        response.headers.setdefault("Cache-Control", "no-store")
        if request.method == "HEAD":
            _empty(response)
        _log(request, response.status_code, time.monotonic() - begun)
        return response

    return middleware


ID = "rollbook.request_id"


def _empty(response: HttpResponseBase) -> None:
    if isinstance(response, HttpResponse):
        response.content = b""
    elif isinstance(response, StreamingHttpResponse):
        response.streaming_content = ()


def _log(request: HttpRequest, status: int, seconds: float) -> None:
    """No query, no address, no name: what a log keeps is nobody's personal data.

    A path that leads nowhere may be anything, also ``…/status&password=…``; one with a token is as good as a password.
    """
    log.info(
        "%s %s %d in %.0f ms, request %s",
        request.method,
        _path(request),
        status,
        seconds * 1000,
        request.META[ID],
    )


def _path(request: HttpRequest) -> str:
    match = request.resolver_match
    if match is None:
        return "unknown address"
    if "token" in match.kwargs:
        return f"/{match.route}"
    return request.path[:LONGEST_PATH]


def internal_error(request: HttpRequest) -> HttpResponse:
    """Something of ours broke. Its place is in the log under the reference, and nothing of it in the answer."""
    reference = request.META.get(ID, "unknown")
    log.error("internal error, reference %s", reference, exc_info=True)
    if errors.wants_page(request):
        return errors.internal_error(request, reference)
    return error_response(request, ApiError("internal_error", id=reference))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if errors.wants_page(request):
        return errors.not_found(request)
    return error_response(request, ApiError("not_found"))


def not_allowed(request: HttpRequest, exception: Exception) -> HttpResponse:
    if errors.wants_page(request):
        return errors.not_allowed(request)
    return error_response(request, ApiError("not_allowed"))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error_response(request, ApiError("bad_request"))
