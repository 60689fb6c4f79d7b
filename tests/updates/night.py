"""Helpers for tests of updates: send a student file, run its update, and look at the students.

Files are written as text. Whitespace around lines is removed. ``enroll`` and the modes ``add`` and
``sync`` append the columns that a new student requires, unless the file has them.
"""

import itertools
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.utils import timezone

from rollbook.districts import modes
from rollbook.districts.models import District
from rollbook.districts.modes import MODES, Channel
from rollbook.studentfile.problems.problem import Problem
from rollbook.students import snapshots
from rollbook.students.models import Change, Student
from rollbook.updates import runner
from rollbook.updates.manifest import manifest, ranges
from rollbook.updates.manifest.fingerprints import RowFingerprinter
from rollbook.updates.models import CheckedRange, Manifest, UpdateJob
from rollbook.updates.planning import decisions, expectations, limit_sets
from rollbook.updates.planning.decisions import Decider
from rollbook.updates.planning.expectations import Wanted
from rollbook.updates.planning.limit_document import LimitDocument
from rollbook.updates.planning.limits import Limits
from rollbook.updates.problem_store import to_problem
from rollbook.updates.receiving import files
from rollbook.updates.receiving.files import IncomingFile
from rollbook.updates.receiving.receive import Receipt, receive
from rollbook.updates.reporting.report import Report, report
from rollbook.updates.state_machine import Mode, State

NEEDED = {"GENDER": "f", "GRADE": "4", "SCHOOL_ID": "100", "ELL": "n", "SPECIAL_ED": "n"}
COUNTS = ("updated", "added", "unchanged", "rejected", "not_processed")

Values = dict[str, str]
History = list[tuple[str, str, str]]


def file_of(text: str) -> str:
    """Return the content of a file with these rows."""
    return "".join(f"{line.strip()}\n" for line in text.strip().splitlines())


def complete(text: str) -> str:
    """Return the file with all columns that a new student requires."""
    header, *rows = file_of(text).splitlines()
    missing = [column for column in NEEDED if column not in header.split(",")]
    cells = ",".join(NEEDED[column] for column in missing)
    return "\n".join(
        [",".join([header, *missing]), *(f"{row},{cells}" if cells else row for row in rows), ""]
    )


def allow_sync(district: District) -> None:
    """Let files be sent in every mode."""
    district.modes = modes.as_stored(dict.fromkeys(Channel, MODES))
    district.save(update_fields=["modes"])


def lift_limits(district: District) -> None:
    """Let updates of the district change any number of students."""
    limit_sets.save(district, LimitDocument(Limits({}, {})), None, timezone.now())


def expect(district: District, *columns: str) -> None:
    """Expect changes of these columns for a day."""
    now = timezone.now()
    expectations.expect(district, Wanted(columns, now + timedelta(days=1)), None, now)


def incoming(data: bytes) -> IncomingFile:
    """Return a file that is being received, with these bytes."""
    file = IncomingFile()
    file.write(data)
    return file


def stored_text(name: str) -> bytes:
    """Return the decrypted content of a stored file."""
    with files.open_stored(name).open("rb") as file:
        return file.read()


def send_bytes(
    district: District, data: bytes, mode: Mode = Mode.UPDATE, **columns: Any
) -> Receipt:
    """Send these bytes as a student file; full sync is allowed first."""
    if mode is Mode.SYNC:
        allow_sync(district)
    return receive(
        district, incoming(data), **{"file_name": "students.csv", "mode": mode, **columns}
    )


def send(district: District, text: str, mode: Mode = Mode.UPDATE, **columns: Any) -> UpdateJob:
    """Send this student file; see ``send_bytes``."""
    written = complete(text) if mode.adds else file_of(text)
    return send_bytes(district, written.encode(), mode, **columns).update


def finish(update: UpdateJob) -> Report:
    """Run the update until it has ended."""
    for _ in runner.run_steps(update.pk):
        pass
    return report_of(update)


def known(district: District) -> set[str]:
    """Return the STUDENT_ID of the students whose records of the last completed file are known."""
    for stored in Manifest.objects.filter(district=district):
        walk = manifest.known_records(district.pk, RowFingerprinter.of_update(stored.update).key)
        found = Student.objects.filter(pk__in=set(walk.students))
        return {student.student_id or "" for student in found}
    return set()


def forget(district: District) -> None:
    """Make all records of a district unknown."""
    Manifest.objects.filter(district=district).delete()


def run(district: District, text: str, mode: Mode = Mode.UPDATE, **columns: Any) -> Report:
    """Send this student file and run its update until it has ended."""
    return finish(send(district, text, mode, **columns))


def enroll(district: District, text: str) -> None:
    """Add these students, however many they are; none may be rejected."""
    update = send(district, text, Mode.ADD)
    result = finish(update)
    if result.plan and result.is_waiting:
        now = timezone.now()
        decisions.approve(district, result.number, result.plan.digest, Decider(None), now)
        result = finish(update)
    assert (result.state, result.added) == (State.COMPLETED, result.rows), result.groups


def report_of(update: UpdateJob) -> Report:
    """Return the update's present report."""
    update.refresh_from_db()
    return report(update)


def counts(result: Report) -> dict[str, int]:
    """Return the counts of a report that are not 0."""
    return {name: count for name in COUNTS if (count := getattr(result, name))}


def stored_problems(update: UpdateJob) -> list[Problem]:
    """Return the stored problems of an update by line, with their decrypted texts."""
    return [to_problem(problem) for problem in update.problem_set.order_by("line", "pk")]


def stored_hints(update: UpdateJob) -> dict[int | None, str]:
    """Return the hint of the last problem of each line."""
    return {problem.line: problem.hint for problem in stored_problems(update)}


def problems(update: UpdateJob) -> dict[int, list[str]]:
    """Return the codes of the problems of each line."""
    codes: dict[int, list[str]] = {}
    for line, code in update.problem_set.order_by("line", "pk").values_list("line", "code"):
        codes.setdefault(line or 0, []).append(code)
    return codes


def last(district: District) -> UpdateJob:
    """Return the district's last update."""
    return UpdateJob.objects.filter(district=district).latest("number")


def students(district: District) -> dict[str, Values]:
    """Return the non-empty values of each student, by STUDENT_ID or username."""
    snapshots_of_all = itertools.chain.from_iterable(
        snapshots.iter_students(snapshots.list_district(district.pk))
    )
    return {
        values["STUDENT_ID"] or values["USERNAME"]: {
            column: value for column, value in values.items() if value
        }
        for values in (snapshot.values for snapshot in snapshots_of_all)
    }


def values_of(district: District, key: str, *columns: str) -> tuple[str, ...]:
    """Return the values of one student in these columns."""
    values = students(district)[key]
    return tuple(values.get(column, "") for column in columns)


def column_of(district: District, column: str) -> Values:
    """Return each student's value in one column."""
    return {key: values.get(column, "") for key, values in students(district).items()}


def history(district: District, student_id: str) -> History:
    """Return the changes of one student, oldest first."""
    changes = Change.objects.filter(
        student__district=district, student__student_id=student_id
    ).order_by("pk")
    return [(change.field, change.old, change.new) for change in changes]


def dump(district: District) -> dict[str, tuple[Values, History]]:
    """Return all values and the history of each student."""
    return {
        key: (
            values,
            [
                (change.field, change.old, change.new)
                for change in Change.objects.filter(
                    student__district=district, student__username=values["USERNAME"]
                ).order_by("pk")
            ],
        )
        for key, values in students(district).items()
    }


def who_was_where(update: UpdateJob) -> dict[int, str]:
    """Return the STUDENT_ID of each line's student, with a minus if the row had a problem."""
    names = dict(Student.objects.values_list("pk", "student_id"))
    found = {}
    for checked in CheckedRange.objects.filter(update=update):
        for line, student in zip(
            ranges.lines_of(checked), ranges.students_in(checked), strict=True
        ):
            sign = "-" if student < 0 else ""
            found[line] = f"{sign}{names.get(abs(student))}"
    return found


def password_of(district: District, student_id: str) -> str:
    """Return the stored password hash of a student."""
    return Student.objects.get(district=district, student_id=student_id).password


def a_class(size: int, **columns: str) -> str:
    """Return a file of this many students: s000, s001, … with usernames u000, u001, ….

    ``columns`` are the formats of other columns, or replace those of the columns above.
    """
    formats = {
        "STUDENT_ID": "s{0:03}",
        "USERNAME": "u{0:03}",
        "FIRST_NAME": "Ann{0:03}",
        "LAST_NAME": "Lee{0:03}",
        "DOB": "2012-05-13",
        **columns,
    }
    rows = (",".join(cell.format(number) for cell in formats.values()) for number in range(size))
    return "\n".join([",".join(formats), *rows])


def applying(update: UpdateJob, chunks: int = 0) -> Iterator[None]:
    """Run the update until it has applied this many chunks; return its remaining steps."""
    work = runner.run_steps(update.pk)
    for _ in work:
        update.refresh_from_db()
        if update.state == State.APPLYING:
            if chunks == 0:
                break
            chunks -= 1
    return work
