"""Download the rejected rows, the changes, the rest and the missing students of an update."""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Protocol

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse

from rollbook.accounts import notices
from rollbook.accounts.notices import Notice
from rollbook.accounts.permissions import Permission
from rollbook.text import count_of
from rollbook.updates.exports import changes as changes_export
from rollbook.updates.exports import missing_students, rejected_rows, unprocessed_rows
from rollbook.updates.exports.original_rows import (
    BYTE_ORDER_MARK,
    NotEnded,
    RemovedByRetention,
)
from rollbook.updates.models import UpdateJob
from rollbook.updates.receiving.files import FileMissing
from rollbook.updates.reporting import missing_students as missing_list
from rollbook.updates.reporting.field_counts import changes_by_field
from rollbook.updates.reporting.report import find
from rollbook.web.pages.base import errors
from rollbook.web.pages.base.view import PageRequest, member_page

LINES_PER_PIECE = 100
MASS_DOWNLOAD_ROWS = 1000
"""Rows from which on the member and the district managers are notified of a download."""


class CsvExport(Protocol):
    """A module of ``updates/exports/`` that writes one of the files."""

    def csv_lines(self, update: UpdateJob, /, *, confidential: bool) -> Iterator[str]:
        """Yield the lines of the file."""
        ...

    def students(self, update: UpdateJob, /) -> set[int]:
        """Return the primary keys of the students whom the file shows."""
        ...

    def file_name(self, update: UpdateJob, /) -> str:
        """Return the name under which the file is saved."""
        ...


def _download(
    export: CsvExport, action: str, row_count: Callable[[UpdateJob], int]
) -> Callable[..., HttpResponseBase]:
    """Return the page that downloads one of the files.

    Args:
        export: the module that writes the file.
        action: the action for the audit log.
        row_count: returns how many rows the file of an update has.
    """

    @member_page(Permission.UPDATE_STUDENTS)
    def download(page_request: PageRequest, number: int) -> HttpResponseBase:
        found = find(page_request.district, number)
        update = page_request.require(found, action, f"update {number}")
        confidential = page_request.may(Permission.SEE_CONFIDENTIAL)
        try:
            lines = export.csv_lines(update, confidential=confidential)
            shown = export.students(update)
        except NotEnded:
            text = f"Update {number} is still running. Come back when it has finished."
            return errors.error_page(
                page_request.request, 409, "Not available yet", text, page_request
            )
        except RemovedByRetention as removed:
            page_request.audit(action, "removed", f"update {number}")
            return no_longer_kept(page_request, removed)
        except FileMissing:
            text = f"The file of update {number} is no longer stored. Use your own copy of it."
            return errors.error_page(
                page_request.request, 410, "File no longer available", text, page_request
            )
        count = row_count(update)
        detail = f"update {number}, {count_of(count, 'row')}"
        page_request.audit(action, "downloaded", detail, shown)
        if confidential and shown:
            page_request.audit_confidential("downloaded", f"{action} of update {number}", shown)
        if count >= MASS_DOWNLOAD_ROWS:
            notices.notify(
                Notice.MASS_DOWNLOAD,
                page_request.now,
                page_request.member,
                detail=f"{action}, {detail}",
            )
        return csv_response(lines, export.file_name(update))

    return download


def no_longer_kept(page_request: PageRequest, removed: RemovedByRetention) -> HttpResponse:
    """Return the 410 page for data that retention has removed, with what is still available."""
    reason = str(removed)
    text = (
        f"{reason[:1].upper()}{reason[1:]}. The counts of the update are still on its page, "
        "and its changes are still in the history of each student."
    )
    return errors.error_page(page_request.request, 410, "No longer available", text, page_request)


def csv_response(lines: Iterator[str], name: str) -> StreamingHttpResponse:
    """Return a response that the browser saves as a CSV file of this name.

    It starts with a byte order mark, without which Excel doesn't read it as UTF-8.
    """
    response = StreamingHttpResponse(
        _in_pieces(_with_mark(lines)), content_type="text/csv; charset=utf-8"
    )
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _with_mark(lines: Iterator[str]) -> Iterator[str]:
    first = next(lines, "")
    yield f"{BYTE_ORDER_MARK}{first.removeprefix(BYTE_ORDER_MARK)}"
    yield from lines


def _in_pieces(lines: Iterator[str]) -> Iterator[bytes]:
    """Yield several lines at a time; single lines would each be encrypted and sent separately."""
    while piece := "".join(islice(lines, LINES_PER_PIECE)):
        yield piece.encode()


def _count_changes(update: UpdateJob) -> int:
    return sum(changes_by_field(update).values())


rejected = _download(rejected_rows, "rejected rows", lambda update: update.rows_rejected)
changes = _download(changes_export, "changes", _count_changes)
not_processed = _download(
    unprocessed_rows, "rows not processed", lambda update: update.not_processed
)
missing = _download(missing_students, "missing students", missing_list.count)
