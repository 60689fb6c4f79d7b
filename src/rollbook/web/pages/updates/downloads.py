"""What can be taken home of an update: rejected rows, changes, rows that were not processed."""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Protocol

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse

from rollbook.accounts.permissions import Permission
from rollbook.text import count_of
from rollbook.updates.exports import changes as exports_changes
from rollbook.updates.exports import rejected_rows
from rollbook.updates.exports import unprocessed_rows as left_over
from rollbook.updates.exports.original_rows import NotEnded, RemovedByRetention
from rollbook.updates.models import UpdateJob
from rollbook.updates.receiving.files import FileMissing
from rollbook.updates.reporting.field_counts import changes_by_field
from rollbook.updates.reporting.report import find
from rollbook.web.pages.base import errors
from rollbook.web.pages.base.view import PageRequest, member_page

LINES_PER_PIECE = 100


class CsvExport(Protocol):
    """A module of updates/ that writes one of the files."""

    def csv_lines(self, update: UpdateJob, /) -> Iterator[str]: ...

    def file_name(self, update: UpdateJob, /) -> str: ...


def _download(
    kind: CsvExport, action: str, rows: Callable[[UpdateJob], int]
) -> Callable[..., HttpResponseBase]:
    @member_page(Permission.UPDATE_STUDENTS)
    def download(page_request: PageRequest, number: int) -> HttpResponseBase:
        update = page_request.require(
            find(page_request.district, number), action, f"update {number}"
        )
        try:
            lines = kind.csv_lines(update)
        except NotEnded:
            text = f"Update {number} is still running. Come back when it has ended."
            return errors.error_page(page_request.request, 409, "Not yet", text, page_request)
        except RemovedByRetention as removed:
            page_request.audit(action, "removed", f"update {number}")
            return no_longer_kept(page_request, removed)
        except FileMissing:
            text = f"The file of update {number} is not kept any more. Take the district’s own copy of it."
            return errors.error_page(
                page_request.request, 410, "The file is gone", text, page_request
            )
        page_request.audit(
            action, "downloaded", f"update {number}, {count_of(rows(update), 'row')}"
        )
        return csv_response(lines, kind.file_name(update))

    return download


def no_longer_kept(page_request: PageRequest, removed: RemovedByRetention) -> HttpResponse:
    """Why there is nothing to be seen or taken home any more, and what there is instead."""
    told = str(removed)
    text = (
        f"{told[:1].upper()}{told[1:]}. The counts of the update stay on its page, and what it changed stays in the "
        "history of each student."
    )
    return errors.error_page(page_request.request, 410, "Not kept any more", text, page_request)


def csv_response(lines: Iterator[str], name: str) -> StreamingHttpResponse:
    """Lines of CSV as a file that is saved and never shown."""
    answer = StreamingHttpResponse(_in_pieces(lines), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _in_pieces(lines: Iterator[str]) -> Iterator[bytes]:
    """Some lines at a time: one by one, each would be encrypted and sent as a packet of its own."""
    while piece := "".join(islice(lines, LINES_PER_PIECE)):
        yield piece.encode()


rejected = _download(rejected_rows, "rejected rows", lambda update: update.rows_rejected)
changes = _download(
    exports_changes, "changes", lambda update: sum(changes_by_field(update).values())
)
not_processed = _download(left_over, "rows not processed", lambda update: update.not_processed)
