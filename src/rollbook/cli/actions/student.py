"""Runs ``rollbook student``: loads, exports and shows a district's students."""

import contextlib
import os
import sys
import tempfile
from argparse import Namespace
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TextIO

from django.utils import timezone

from rollbook.cli import certificate_output, confirmation, output
from rollbook.cli.audit_log import record_with_confidential
from rollbook.cli.errors import OK, CommandError
from rollbook.cli.lookup import get_district, get_student, no_such_student
from rollbook.cli.printed_text import add_facts
from rollbook.cli.update_report import print_report
from rollbook.cli.update_run import FileToSend, follow, send
from rollbook.districts.file_rules import file_rules
from rollbook.districts.models import District
from rollbook.file_errors import errors_naming
from rollbook.operations.lifecycle import erasure
from rollbook.operations.lifecycle.suspension import NotPossible
from rollbook.studentfile import writer
from rollbook.studentfile.columns import BY_NAME, COLUMNS
from rollbook.studentfile.problems.problem import Problem
from rollbook.students import absences, recognition, snapshots
from rollbook.students.models import Absence, Change
from rollbook.students.snapshots import StudentSnapshot
from rollbook.students.writer import STUDENT_ADDED
from rollbook.text import count_of, format_timestamp
from rollbook.updates.models import UpdateJob
from rollbook.updates.problem_store import to_problem

UPDATES_WITH_PROBLEMS = 10
EXPORTED_COLUMNS = [column.name for column in COLUMNS if not column.secret]


def load(arguments: Namespace) -> int:
    """Start an update with the file, wait for its end, and print its report."""
    district = get_district(arguments.district)
    return follow(send(district, FileToSend.of(arguments)), arguments)


def check(arguments: Namespace) -> int:
    """Start a dry run with the file, and print its plan."""
    district = get_district(arguments.district)
    receipt = send(district, FileToSend.of(arguments, is_check=True))
    if arguments.wait:
        return follow(receipt, arguments)
    if arguments.json:
        print_report(receipt.update, as_json=True)
    else:
        print(f"Started the dry run as update {receipt.update.number}.")
    return OK


def erase(arguments: Namespace) -> int:
    """Erase a student, or continue to."""
    district = get_district(arguments.district)
    student = get_student(district, arguments.student_id)
    if not arguments.yes:
        prompt = f"Type {arguments.student_id} again to erase the student for good"
        confirmation.require_typed(arguments.student_id, prompt, "--yes", "nothing was removed")
    try:
        begun = erasure.start(student, timezone.now(), removes_files=arguments.files)
        finished = erasure.run(begun, lambda removed: None)
    except NotPossible as error:
        raise CommandError("update_unfinished", str(error)) from None
    add_facts(arguments, certificate=finished.pk)
    print(f"Erased the student with key {student.pk} of {district.name}.")
    if finished.remaining:
        print("These still contain the student; --files would have removed the files:")
    for line in finished.remaining:
        print(f"  {line}")
    certificate_output.save(finished, arguments.certificates)
    return OK


def export(arguments: Namespace) -> int:
    """Write all students as a student file."""
    district = get_district(arguments.district)
    students = snapshots.list_district(district.pk)
    record_with_confidential("student export", district, f"{len(students):,} students", students)
    if arguments.output is None:
        sys.stdout.reconfigure(encoding="utf-8", newline="")  # type: ignore[union-attr]
        write(district, students, sys.stdout)
    else:
        with _atomic_file(arguments.output) as file:
            count = write(district, students, file)
        print(
            f"exported {count:,} students of {district.name} to {arguments.output}", file=sys.stderr
        )
    return OK


def write(district: District, students: Sequence[int], file: TextIO) -> int:
    """Write the student file and return the number of students."""
    if district.encoding != "utf-8":
        file.write("\ufeff")  # or the file, loaded again, would be read in the district's encoding
    return writer.write(file, EXPORTED_COLUMNS, _rows(district, students))


def _rows(district: District, students: Sequence[int]) -> Iterator[list[str]]:
    order = file_rules(district).date_order
    for page in snapshots.iter_students(students):
        for student in page:
            values = student.values
            yield [writer.format_value(name, values[name], order) for name in EXPORTED_COLUMNS]


@contextlib.contextmanager
def _atomic_file(path: Path) -> Iterator[TextIO]:
    """Create a file, readable by its owner only, that appears when it is complete or not at all.

    Raises:
        OSError: That isn't possible; the error names the file.
    """
    with errors_naming(path):
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        with errors_naming(path):
            Path(draft).replace(path)
    finally:
        Path(draft).unlink(missing_ok=True)


def show(arguments: Namespace) -> int:
    """Print a student's record and every change made to it."""
    district = get_district(arguments.district)
    student = _get_student(district, arguments.student_id)
    changes = list(
        Change.objects.filter(student=student.pk)
        .select_related("update", "member")
        .order_by("changed_at", "pk")
    )
    problems = list(_recent_problems(district, student))
    shown = {student.pk, *_others_named(district, changes, problems)}
    record_with_confidential("student show", district, f"student with key {student.pk}", shown)
    if arguments.json:
        print(output.to_json(_to_json(student, changes) | {"problems": _to_json_list(problems)}))
        return OK
    print("\n".join(_text_lines(district, student, changes)))
    if problems:
        print(f"\nproblems in the last {UPDATES_WITH_PROBLEMS} updates:")
    for number, problem in problems:
        print(f"  update {number}, {output.problem_line(problem)}")
    return OK


def _others_named(
    district: District, changes: Iterable[Change], problems: Iterable[tuple[int, Problem]]
) -> set[int]:
    """Return the primary keys of the students whom changes and problems name."""
    texts = [text for change in changes for text in (change.old, change.new)]
    texts += [problem.message for _, problem in problems]
    return recognition.students_named(district.pk, texts)


def _recent_problems(district: District, student: StudentSnapshot) -> Iterator[tuple[int, Problem]]:
    """Yield the problems of the student's rows in the latest updates, newest first."""
    updates = UpdateJob.objects.filter(district=district, details_hidden_at=None)
    for update_job in updates.order_by("-number")[:UPDATES_WITH_PROBLEMS]:
        lines = update_job.stagedrow_set.filter(student=student.pk).values("line")
        for problem in update_job.problem_set.filter(line__in=lines).order_by("line", "pk"):
            yield update_job.number, to_problem(problem)


def _to_json_list(problems: list[tuple[int, Problem]]) -> list[dict[str, object]]:
    return [{"update": number, **output.problem_to_json(found)} for number, found in problems]


def _get_student(district: District, student_id: str) -> StudentSnapshot:
    students = snapshots.load_by_column(district.pk, "STUDENT_ID", [student_id])
    if student_id not in students:
        raise no_such_student(district, student_id)
    student = students[student_id]
    snapshots.add_links([student])
    return student


def _text_lines(
    district: District, student: StudentSnapshot, changes: list[Change]
) -> Iterator[str]:
    yield f"{student.values['FIRST_NAME']} {student.values['LAST_NAME']}, {district.name}"
    yield ""
    yield from output.name_value_lines(_record_values(student).items())
    if absence := absences.of_student(student.pk):
        yield ""
        result = "deactivated" if absence.deactivated_at else "missing"
        files = count_of(absence.files, "file")
        yield f"{result}: not in {files} in full sync since {absence.since}"
    yield ""
    rows = [_change_row(change, district) for change in changes]
    yield from output.table(("when", "field", "old", "new", "by"), rows)


def _record_values(student: StudentSnapshot) -> dict[str, str]:
    return {name: _format_value(name, student.values[name]) for name in EXPORTED_COLUMNS}


def _change_row(change: Change, district: District) -> tuple[str, ...]:
    old, new = _change_values(change)
    return (
        format_timestamp(change.changed_at, district.time_zone),
        change.field,
        old,
        new,
        _author(change),
    )


def _change_values(change: Change) -> tuple[str, str]:
    if change.field == STUDENT_ADDED:
        return change.old, change.new
    return _format_value(change.field, change.old), _format_value(change.field, change.new)


def _author(change: Change) -> str:
    authors = []
    if change.update:
        authors.append(f"update {change.update.number}")
    if change.member:
        authors.append(change.member.email)
    return ", ".join(authors)


def _to_json(student: StudentSnapshot, changes: list[Change]) -> dict[str, object]:
    absence = absences.of_student(student.pk)
    return {
        "record": _record_values(student),
        "absence": _absence_to_json(absence) if absence else None,
        "history": [_change_to_json(change) for change in changes],
    }


def _absence_to_json(absence: Absence) -> dict[str, object]:
    return {
        "since": absence.since.isoformat(),
        "files": absence.files,
        "deactivated_at": absence.deactivated_at,
    }


def _change_to_json(change: Change) -> dict[str, object]:
    old, new = _change_values(change)
    return {
        "at": change.changed_at,
        "field": change.field,
        "old": old,
        "new": new,
        "update": change.update.number if change.update else None,
        "member": change.member.email if change.member else None,
    }


def _format_value(column: str, value: str) -> str:
    return BY_NAME[column].format(value) if value and column in BY_NAME else value
