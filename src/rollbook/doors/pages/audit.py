"""Audit: who did and saw what, and when; to look through, and to take home."""

from collections.abc import Iterator
from datetime import UTC

from django.http import HttpResponse, HttpResponseBase

from rollbook.doors.pages.downloads import csv_of
from rollbook.doors.pages.finding_events import Filters, found
from rollbook.doors.pages.numbers import number_of_page
from rollbook.doors.pages.visit import Visit, page
from rollbook.format import writer
from rollbook.staff.permissions import Permission
from rollbook.updates.as_sent import BYTE_ORDER_MARK

COLUMNS = ("AT", "MEMBER", "ACTION", "RESULT", "DETAIL", "ADDRESS", "PROGRAM", "SEAL")


@page(Permission.SEE_AUDIT)
def listed(visit: Visit) -> HttpResponse:
    filters = Filters(visit.request.GET, visit.district)
    events = found(filters, number_of_page(visit))
    visit.note("audit", "seen", f"page {events.number}, filtered by {', '.join(filters.used) or 'nothing'}")
    return visit.render("pages/audit.html", {"filters": filters, "events": events, "used": filters.used})


@page(Permission.SEE_AUDIT)
def download(visit: Visit) -> HttpResponseBase:
    """The same, whole."""
    filters = Filters(visit.request.GET, visit.district)
    visit.note("audit", "downloaded", f"filtered by {', '.join(filters.used) or 'nothing'}")
    return csv_of(_lines(filters), f"audit-{visit.district.slug}.csv")


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
