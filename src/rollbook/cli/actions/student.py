"""``rollbook student``: a district's students, in and out."""

import contextlib
import os
import sys
import tempfile
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from rollbook.cli import output
from rollbook.cli.actions import update
from rollbook.cli.audit_log import record
from rollbook.cli.errors import FAILED, OK, SOME_REJECTED, CommandError
from rollbook.cli.lookup import get_district
from rollbook.cli.progress_bar import ProgressBar
from rollbook.cli.update_progress import UpdateProgress
from rollbook.doors.studentupdate.form import display_name
from rollbook.engine import work_on
from rollbook.format import writer
from rollbook.format.columns import BY_NAME, COLUMNS
from rollbook.roster import records
from rollbook.roster.changing import ADDED
from rollbook.roster.models import Change, District
from rollbook.roster.records import Record
from rollbook.updates.moves import Mode, State
from rollbook.updates.receive import QueueFull, Receipt, receive
from rollbook.updates.spool import Incoming
from rollbook.updates.wording import dated

CHUNK = 1 << 20
VIA = "rollbook"
EXPORTED = [column for column in COLUMNS if not column.secret]


def load(arguments: Namespace) -> int:
    """Receive the file, see it through, and tell what became of it."""
    district = get_district(arguments.district)
    receipt = _received(district, arguments.file)
    loaded = receipt.update
    with ProgressBar() as progress:
        for line in _remarks(receipt):
            progress.say(line)
        watch = UpdateProgress(loaded, progress)
        try:
            work_on(loaded.pk, watch)
        except KeyboardInterrupt:
            progress.end()
            progress.say(
                f"update {loaded.number} is not at its end; the same command goes on with it, and so does the server"
            )
            raise
        watch.look()
    print("\n".join(update.lines(loaded)))
    if loaded.state != State.COMPLETED:
        return FAILED
    return SOME_REJECTED if loaded.rejected else OK


def _received(district: District, path: Path) -> Receipt:
    with path.open("rb") as file:
        incoming = Incoming()
        try:
            for chunk in iter(lambda: file.read(CHUNK), b""):
                incoming.write(chunk)
            return receive(
                district, incoming, file_name=display_name(path.name), mode=Mode.ADD, via=VIA
            )
        except QueueFull as full:
            waiting = ", ".join(map(str, full.waiting))
            raise CommandError(
                "queue_full",
                f"updates {waiting} of {district.name} wait already; load the file when one has ended",
            ) from None
        finally:
            incoming.discard()


def _remarks(receipt: Receipt) -> Iterator[str]:
    if receipt.replayed:
        yield f"the same file is update {receipt.update.number} already, which goes on"
    if receipt.same_as:
        yield f"the file is the same as that of update {receipt.same_as.number} ({receipt.same_as.state})"


def export(arguments: Namespace) -> int:
    """Every student, in the order of STUDENT_ID."""
    district = get_district(arguments.district)
    if arguments.output is None:
        sys.stdout.reconfigure(encoding="utf-8", newline="")  # type: ignore[union-attr]
        count = _write(district, sys.stdout)
    else:
        with _appearing(arguments.output) as file:
            count = _write(district, file)
        print(f"{count:,} students of {district.name} are in {arguments.output}", file=sys.stderr)
    record("student export", district, f"{count:,} students")
    return OK


def _write(district: District, file: TextIO) -> int:
    if district.encoding != "utf-8":
        file.write("\ufeff")  # so that it is read as what it is when it comes back
    return writer.write(file, [column.name for column in EXPORTED], _rows(district))


def _rows(district: District) -> Iterator[list[str]]:
    for page in records.in_order(district.pk):
        for one in page:
            yield [_shown(column.name, one.values[column.name]) for column in EXPORTED]


@contextlib.contextmanager
def _appearing(path: Path) -> Iterator[TextIO]:
    """A file that appears whole, for its owner only, or not at all."""
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(path)
    finally:
        Path(draft).unlink(missing_ok=True)


def show(arguments: Namespace) -> int:
    """One student's record, and every change made to it."""
    district = get_district(arguments.district)
    found = records.by_column(district.pk, "STUDENT_ID", [arguments.student_id]).get(
        arguments.student_id
    )
    if found is None:
        raise CommandError(
            "no_such_student",
            f"{district.name} has no student with the STUDENT_ID '{arguments.student_id}'; "
            "it is compared exactly, with its zeros and capitals",
        )
    records.add_links([found])
    changes = list(
        Change.objects.filter(student=found.pk)
        .select_related("update", "member")
        .order_by("at", "pk")
    )
    record("student show", district, f"student with key {found.pk}")
    print(
        output.to_json(_facts(found, changes))
        if arguments.json
        else "\n".join(_lines(district, found, changes))
    )
    return OK


def _lines(district: District, found: Record, changes: list[Change]) -> Iterator[str]:
    yield f"{found.values['FIRST_NAME']} {found.values['LAST_NAME']}, {district.name}"
    yield ""
    yield from output.name_value_lines(
        (column.name, _shown(column.name, found.values[column.name])) for column in EXPORTED
    )
    yield ""
    rows = [
        (dated(change.at, district.time_zone), change.field, *_values(change), _author(change))
        for change in changes
    ]
    yield from output.table(("when", "field", "old", "new", "by"), rows)


def _values(change: Change) -> tuple[str, str]:
    if change.field == ADDED:
        return change.old, change.new
    return _shown(change.field, change.old), _shown(change.field, change.new)


def _author(change: Change) -> str:
    by = [f"update {change.update.number}"] if change.update else []
    return ", ".join([*by, *([change.member.email] if change.member else [])])


def _facts(found: Record, changes: list[Change]) -> dict[str, object]:
    return {
        "record": {
            column.name: _shown(column.name, found.values[column.name]) for column in EXPORTED
        },
        "history": [
            {
                "at": change.at,
                "field": change.field,
                "old": _values(change)[0],
                "new": _values(change)[1],
                "update": change.update.number if change.update else None,
                "member": change.member.email if change.member else None,
            }
            for change in changes
        ],
    }


def _shown(column: str, value: str) -> str:
    return BY_NAME[column].show(value) if value and column in BY_NAME else value
