"""Audit: who did and saw what, and when; to look through, and to take home."""

from collections.abc import Iterator
from datetime import UTC

from django.http import HttpResponse, HttpResponseBase

from rollbook.web.pages.updates.downloads import csv_response
from rollbook.web.pages.audit.filters import Filters, search
from rollbook.web.pages.base.page_number import number_of_page
from rollbook.web.pages.base.view import PageRequest, member_page
from rollbook.studentfile import writer
from rollbook.accounts.permissions import Permission
from rollbook.updates.exports.original_rows import BYTE_ORDER_MARK

COLUMNS = ("AT", "MEMBER", "ACTION", "RESULT", "DETAIL", "ADDRESS", "PROGRAM", "SEAL")


@member_page(Permission.SEE_AUDIT)
def index(visit: PageRequest) -> HttpResponse:
    filters = Filters(visit.request.GET, visit.district)
    events = search(filters, number_of_page(visit))
    visit.audit("audit", "seen", f"page {events.number}, filtered by {', '.join(filters.used) or 'nothing'}")
    return visit.render("audit/index.html", {"filters": filters, "events": events, "used": filters.used})


@member_page(Permission.SEE_AUDIT)
def download(visit: PageRequest) -> HttpResponseBase:
    """The same, whole."""
    filters = Filters(visit.request.GET, visit.district)
    visit.audit("audit", "downloaded", f"filtered by {', '.join(filters.used) or 'nothing'}")
    return csv_response(_lines(filters), f"audit-{visit.district.slug}.csv")


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
