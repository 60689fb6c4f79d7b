"""What people see when there is no page for them: what happened and what to do next, with nothing of ours in it."""

import logging
from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from rollbook.text import duration
from rollbook.web.http.error_codes import ApiError
from rollbook.web.http.responses import error_response

log = logging.getLogger(__name__)


def wants_page(request: HttpRequest) -> bool:
    """Whether a person is looking: browsers ask for HTML by name, curl and scripts do not."""
    return "text/html" in request.headers.get("Accept", "")


def use_https(request: HttpRequest) -> HttpResponse:
    """No redirect, as at every other door."""
    return error_response(request, ApiError("use_https"))


def wrong_method(request: HttpRequest, allowed: tuple[str, ...]) -> HttpResponse:
    answer = error_page(
        request,
        405,
        "This address is not called like that",
        "Go back, and use the buttons of the page.",
    )
    answer.headers["Allow"] = ", ".join(allowed)
    return answer


def not_allowed(request: HttpRequest, page_request: Any = None) -> HttpResponse:
    """The page is there, but this member's role does not reach it."""
    text = "Your role does not include this page. A district manager can change that."
    return error_page(request, 403, "Not for your role", text, page_request)


def not_found(request: HttpRequest, page_request: Any = None) -> HttpResponse:
    text = "There is nothing at this address, or it is not for you. Look at the address, or begin again at the start page."
    return error_page(request, 404, "Nothing here", text, page_request)


def database_busy(request: HttpRequest) -> HttpResponse:
    log.warning("the database is not available", exc_info=True)
    text = (
        "Rollbook cannot reach its database right now. Nothing was changed. Try again in a moment."
    )
    answer = error_page(request, 503, "Not available right now", text)
    answer.headers["Retry-After"] = "5"
    return answer


def too_many_attempts(
    request: HttpRequest, retry_after: int, page_request: Any = None
) -> HttpResponse:
    """Tell how long to wait after too many failed attempts; ``retry_after`` is in seconds."""
    wait = duration(timedelta(seconds=retry_after))
    text = f"There were too many tries. Nothing was looked at this time. Try again in {wait}."
    answer = error_page(request, 429, "Wait a moment", text, page_request)
    answer.headers["Retry-After"] = str(retry_after)
    return answer


def internal_error(request: HttpRequest, reference: str) -> HttpResponse:
    text = f"Something went wrong here, not with you. If it happens again, tell the operator the reference {reference}."
    return error_page(request, 500, "An error of ours", text)


def form_expired(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's protection against forged forms: also what an old page in another tab runs into."""
    if not wants_page(request):
        return error_response(request, ApiError("bad_request"))
    text = "This form is too old, or you have signed in since. Go back, reload the page, and send it once more."
    return error_page(request, 403, "The form has expired", text)


def error_page(
    request: HttpRequest, status: int, title: str, text: str, page_request: Any = None
) -> HttpResponse:
    """A page of one sentence. ``page_request`` gives it the navigation of the member."""
    facts = {"heading": title, "text": text, "page_request": page_request}
    return render(request, "error.html", facts, status=status)
