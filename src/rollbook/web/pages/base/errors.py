"""Render the pages for errors: what happened and what to do next, without internal details."""

import logging
from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from rollbook.districts.suspension import DistrictSuspended
from rollbook.text import format_duration
from rollbook.web.http.error_codes import RETRY_LATER_S, ApiError
from rollbook.web.http.responses import error_response

log = logging.getLogger(__name__)


def wants_page(request: HttpRequest) -> bool:
    """Return whether the client accepts HTML, as browsers do and curl and scripts do not."""
    return "text/html" in request.headers.get("Accept", "")


def use_https(request: HttpRequest) -> HttpResponse:
    """Return the error for a request without HTTPS. As everywhere, nothing is redirected."""
    return error_response(request, ApiError("use_https"))


def wrong_method(request: HttpRequest, allowed: tuple[str, ...]) -> HttpResponse:
    """Return the 405 page, with the allowed methods in its Allow header."""
    text = "This page can't be opened this way. Go back and use the buttons on the page."
    response = error_page(request, 405, "Method not allowed", text)
    response.headers["Allow"] = ", ".join(allowed)
    return response


def not_allowed(request: HttpRequest, page_request: Any = None) -> HttpResponse:
    """Return the 403 page for a member whose role does not include the page."""
    text = "Your role doesn't include this page. A district manager can change that."
    return error_page(request, 403, "Access denied", text, page_request)


def district_suspended(request: HttpRequest, suspended: DistrictSuspended) -> HttpResponse:
    """Return the 403 page for a member of a suspended district, with the reason."""
    return error_page(request, 403, "District suspended", str(suspended))


def not_found(request: HttpRequest, page_request: Any = None) -> HttpResponse:
    """Return the 404 page. It does not tell whether a page exists that is not for this member."""
    text = (
        "There is nothing at this address, or you don't have access to it. "
        "Check the address, or start again from the home page."
    )
    return error_page(request, 404, "Page not found", text, page_request)


def database_busy(request: HttpRequest) -> HttpResponse:
    """Log the database error, and return the 503 page."""
    log.warning("the database is not available", exc_info=True)
    text = (
        "Rollbook can't reach its database right now. Nothing was changed. Try again in a moment."
    )
    response = error_page(request, 503, "Temporarily unavailable", text)
    response.headers["Retry-After"] = "5"
    return response


def key_missing(request: HttpRequest) -> HttpResponse:
    """Log that a key is missing, and return the 503 page."""
    log.error("a secret key is missing on this machine; run `rollbook doctor`", exc_info=True)
    text = (
        "This server is missing a key, so it can’t check codes right now. Nothing was changed. "
        "Try again later. If it happens again, tell your Rollbook administrator that “rollbook "
        "doctor” says which key is missing."
    )
    response = error_page(request, 503, "Temporarily unavailable", text)
    response.headers["Retry-After"] = str(RETRY_LATER_S)
    return response


def upgrading(request: HttpRequest) -> HttpResponse:
    """Return the 503 page while the database has not been migrated to this version."""
    text = "Rollbook is being upgraded. Nothing was changed. Try again in a minute."
    response = error_page(request, 503, "Temporarily unavailable", text)
    response.headers["Retry-After"] = str(RETRY_LATER_S)
    return response


def too_many_attempts(
    request: HttpRequest, retry_after: int, page_request: Any = None
) -> HttpResponse:
    """Return the 429 page with how long to wait; ``retry_after`` is in seconds."""
    wait = format_duration(timedelta(seconds=retry_after))
    text = f"Too many attempts. This attempt was not checked. Try again in {wait}."
    response = error_page(request, 429, "Too many attempts", text, page_request)
    response.headers["Retry-After"] = str(retry_after)
    return response


def internal_error(request: HttpRequest, reference: str) -> HttpResponse:
    """Return the 500 page with the reference under which the error is logged."""
    text = (
        "Something went wrong on our side. If it happens again, "
        f"give your Rollbook administrator the reference {reference}."
    )
    return error_page(request, 500, "A problem on our side", text)


def form_expired(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Return the 403 page of Django's CSRF check, which old pages in other tabs run into too."""
    if not wants_page(request):
        return error_response(request, ApiError("bad_request"))
    text = (
        "This form is too old, or you signed in after opening it. "
        "Go back, reload the page, and send it once more."
    )
    return error_page(request, 403, "The form has expired", text)


def error_page(
    request: HttpRequest, status: int, title: str, text: str, page_request: Any = None
) -> HttpResponse:
    """Return a page with a heading and one text.

    Args:
        request: the request to answer.
        status: the HTTP status.
        title: the heading.
        text: what happened and what to do.
        page_request: the member's ``PageRequest``; with it the page has the navigation.
    """
    context = {"heading": title, "text": text, "page_request": page_request}
    return render(request, "error.html", context, status=status)
