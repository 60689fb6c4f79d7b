"""What can be taken home of an update: rejected rows, changes, rows that were not processed."""

from collections.abc import Callable, Iterator
from typing import Protocol

from django.http import HttpResponseBase, StreamingHttpResponse

from rollbook.doors.pages import errors
from rollbook.doors.pages.visit import Visit, page
from rollbook.staff.permissions import Permission
from rollbook.updates import changes_made
from rollbook.updates import not_processed as left_over
from rollbook.updates import rejected as rejected_rows
from rollbook.updates.as_sent import NotEnded
from rollbook.updates.models import Update
from rollbook.updates.report import find
from rollbook.updates.spool import LostFile


class Kind(Protocol):
    """A module of updates/ that writes one of the files."""

    def lines(self, update: Update, /) -> Iterator[str]: ...

    def file_name(self, update: Update, /) -> str: ...


def _download(kind: Kind, action: str) -> Callable[..., HttpResponseBase]:
    @page(Permission.UPDATE_STUDENTS)
    def download(visit: Visit, number: int) -> HttpResponseBase:
        update = find(visit.district, number)
        if update is None:
            visit.note(action, "not found", f"update {number}")
            return errors.not_found(visit.request, visit)
        try:
            lines = kind.lines(update)
        except NotEnded:
            text = f"Update {number} is still running. Come back when it has ended."
            return errors.shown(visit.request, 409, "Not yet", text, visit)
        except LostFile:
            text = f"The file of update {number} is not kept any more. Take the district’s own copy of it."
            return errors.shown(visit.request, 410, "The file is gone", text, visit)
        visit.note(action, "downloaded", f"update {number}")
        return csv_of(lines, kind.file_name(update))

    return download


def csv_of(lines: Iterator[str], name: str) -> StreamingHttpResponse:
    """Lines of CSV as a file that is saved and never shown."""
    answer = StreamingHttpResponse((line.encode() for line in lines), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


rejected = _download(rejected_rows, "rejected rows")
changes = _download(changes_made, "changes")
not_processed = _download(left_over, "rows not processed")
