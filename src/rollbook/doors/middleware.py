"""Around every request: an id, one log line, and an answer without a trace when something of ours goes wrong."""

import logging
import secrets
import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from rollbook.doors.studentupdate.refusals import Refused
from rollbook.doors.studentupdate.wire import refuse

LONGEST_PATH = 200

log = logging.getLogger(__name__)


def request_id(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Give the request an id of ours; one that a client sends could be made to look like another's."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        begun = time.monotonic()
        request.META[ID] = secrets.token_hex(8)
        response = get_response(request)
        response.headers["X-Request-Id"] = request.META[ID]
        response.headers.setdefault("Cache-Control", "no-store")
        if request.method == "HEAD" and isinstance(response, HttpResponse):
            response.content = b""
        _log(request, response.status_code, time.monotonic() - begun)
        return response

    return middleware


ID = "rollbook.request_id"


def _log(request: HttpRequest, status: int, seconds: float) -> None:
    """No query, no address, no name: what a log keeps is nobody's personal data.

    A path that leads nowhere may be anything, also ``…/status&password=…``.
    """
    path = request.path[:LONGEST_PATH] if request.resolver_match else "unknown address"
    log.info("%s %s %d in %.0f ms, request %s", request.method, path, status, seconds * 1000, request.META[ID])


def internal_error(request: HttpRequest) -> HttpResponse:
    """Something of ours broke. Its place is in the log under the reference, and nothing of it in the answer."""
    reference = request.META.get(ID, "unknown")
    log.error("internal error, reference %s", reference, exc_info=True)
    return refuse(request, Refused("internal_error", id=reference))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return refuse(request, Refused("not_found"))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return refuse(request, Refused("bad_request"))
