"""Audit: who did and saw what, and when; to look through, and to take home."""

from collections.abc import Iterator
from datetime import UTC

from django.http import HttpResponse, HttpResponseBase

from rollbook.accounts.permissions import Permission
from rollbook.studentfile import writer
from rollbook.updates.exports.original_rows import BYTE_ORDER_MARK
from rollbook.web.pages.audit.filters import Filters, search
from rollbook.web.pages.base.page_number import number_of_page
from rollbook.web.pages.base.view import PageRequest, member_page
from rollbook.web.pages.updates.downloads import csv_response

COLUMNS = ("AT", "MEMBER", "ACTION", "RESULT", "DETAIL", "ADDRESS", "PROGRAM", "SEAL")


@member_page(Permission.SEE_AUDIT)
def index(page_request: PageRequest) -> HttpResponse:
    filters = Filters(page_request.request.GET, page_request.district)
    events = search(filters, number_of_page(page_request))
    page_request.audit(
        "audit", "seen", f"page {events.number}, filtered by {', '.join(filters.used) or 'nothing'}"
    )
    return page_request.render(
        "audit/index.html", {"filters": filters, "events": events, "used": filters.used}
    )


@member_page(Permission.SEE_AUDIT)
def download(page_request: PageRequest) -> HttpResponseBase:
    """The same, whole."""
    filters = Filters(page_request.request.GET, page_request.district)
    page_request.audit("audit", "downloaded", f"filtered by {', '.join(filters.used) or 'nothing'}")
    return csv_response(_lines(filters), f"audit-{page_request.district.slug}.csv")


def _lines(filters: Filters) -> Iterator[str]:
    yield BYTE_ORDER_MARK
    yield from writer.lines(COLUMNS, _rows(filters))


def _rows(filters: Filters) -> Iterator[list[str]]:
    for event in filters.events().iterator():
        yield [
            event.at.astimezone(UTC).isoformat(timespec="milliseconds"),
            event.member.email if event.member else "",
            event.action,
            event.result,
            event.detail,
            event.address or "",
            event.agent,
            str(event.seal_id or ""),
        ]
