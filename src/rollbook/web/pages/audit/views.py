"""Audit: list, filter and download who did and viewed what."""

from collections.abc import Iterator
from datetime import UTC

from django.http import HttpResponse, HttpResponseBase

from rollbook.accounts.audit import student_sets
from rollbook.accounts.models import AuditEvent
from rollbook.accounts.permissions import Permission
from rollbook.studentfile import writer
from rollbook.updates.exports.original_rows import BYTE_ORDER_MARK
from rollbook.web.pages.audit.filters import Filters, search
from rollbook.web.pages.base.page_number import page_number
from rollbook.web.pages.base.view import PageRequest, member_page
from rollbook.web.pages.updates.downloads import csv_response

COLUMNS = ("AT", "MEMBER", "ACTION", "RESULT", "DETAIL", "ADDRESS", "PROGRAM", "SEAL", "STUDENTS")


@member_page(Permission.SEE_AUDIT)
def index(page_request: PageRequest) -> HttpResponse:
    """List a page of the audit events that match the filters."""
    filters = Filters(page_request.request.GET, page_request.district)
    events = search(filters, page_number(page_request))
    page_request.audit("audit", "seen", f"page {events.number}, {_description(filters)}")
    context = {"filters": filters, "events": events, "used": filters.used_filters}
    return page_request.render("audit/index.html", context)


@member_page(Permission.SEE_AUDIT)
def download(page_request: PageRequest) -> HttpResponseBase:
    """Download all events that match the filters as CSV."""
    filters = Filters(page_request.request.GET, page_request.district)
    page_request.audit("audit", "downloaded", _description(filters))
    return csv_response(_csv_lines(filters), f"audit-{page_request.district.slug}.csv")


def _description(filters: Filters) -> str:
    names = ", ".join(filters.used_filters) or "nothing"
    return f"filtered by {names}"


def _csv_lines(filters: Filters) -> Iterator[str]:
    yield BYTE_ORDER_MARK
    yield from writer.lines(COLUMNS, map(_csv_row, filters.events().iterator()))


def _csv_row(event: AuditEvent) -> list[str]:
    """Return the values of an event in the order of ``COLUMNS``."""
    login = event.member.email if event.member else ""
    return [
        event.at.astimezone(UTC).isoformat(timespec="milliseconds"),
        login,
        event.action,
        event.result,
        event.detail,
        event.address or "",
        event.agent,
        str(event.seal_id or ""),
        str(student_sets.count(event.students)),
    ]
