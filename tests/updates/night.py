"""A night at a district in a few words: send a student file, let it run, look at the students.

Files are written as text; blanks around lines do not count, and columns that every new student needs are added to the
files of ``enroll`` and of mode ``add`` where they are not named.
"""

from collections.abc import Iterator
from typing import Any

from rollbook.districts.models import District
from rollbook.students import snapshots
from rollbook.students.models import Change, Student
from rollbook.updates import runner
from rollbook.updates.models import UpdateJob
from rollbook.updates.receiving.files import IncomingFile
from rollbook.updates.receiving.receive import Receipt, receive
from rollbook.updates.reporting.report import Report, report
from rollbook.updates.state_machine import Mode, State

NEEDED = {"GENDER": "f", "GRADE": "4", "SCHOOL_ID": "100", "ELL": "n", "SPECIAL_ED": "n"}
COUNTS = ("updated", "added", "unchanged", "rejected", "not_processed")

Values = dict[str, str]
History = list[tuple[str, str, str]]


def file_of(text: str) -> str:
    """The text as a file has it: one row a line."""
    return "".join(f"{line.strip()}\n" for line in text.strip().splitlines())


def complete(text: str) -> str:
    """The file with the columns that a new student needs."""
    header, *rows = file_of(text).splitlines()
    missing = [column for column in NEEDED if column not in header.split(",")]
    cells = ",".join(NEEDED[column] for column in missing)
    return "\n".join(
        [",".join([header, *missing]), *(f"{row},{cells}" if cells else row for row in rows), ""]
    )


def incoming(data: bytes) -> IncomingFile:
    """The bytes on their way in."""
    file = IncomingFile()
    file.write(data)
    return file


def send_bytes(district: District, data: bytes, mode: Mode = Mode.UPDATE, **facts: Any) -> Receipt:
    """Send these bytes as they are."""
    return receive(district, incoming(data), **{"file_name": "students.csv", "mode": mode, **facts})


def send(district: District, text: str, mode: Mode = Mode.UPDATE, **facts: Any) -> UpdateJob:
    """Send this student file."""
    written = complete(text) if mode is Mode.ADD else file_of(text)
    return send_bytes(district, written.encode(), mode, **facts).update


def finish(update: UpdateJob) -> Report:
    """Let the update run to its end."""
    for _ in runner.run_steps(update.pk):
        pass
    return told(update)


def run(district: District, text: str, mode: Mode = Mode.UPDATE, **facts: Any) -> Report:
    """Send this student file and let it run to its end."""
    return finish(send(district, text, mode, **facts))


def enroll(district: District, text: str) -> None:
    """Add these students, every one of them."""
    result = run(district, text, Mode.ADD)
    assert (result.state, result.added) == (State.COMPLETED, result.rows), result.groups


def told(update: UpdateJob) -> Report:
    """The update's report as it is now."""
    update.refresh_from_db()
    return report(update)


def counts(result: Report) -> dict[str, int]:
    """The counts of a report that are not 0."""
    return {name: count for name in COUNTS if (count := getattr(result, name))}


def problems(update: UpdateJob) -> dict[int, list[str]]:
    """Line to the codes of its problems."""
    found: dict[int, list[str]] = {}
    for line, code in update.problem_set.order_by("line", "pk").values_list("line", "code"):
        found.setdefault(line or 0, []).append(code)
    return found


def last(district: District) -> UpdateJob:
    """The district's last update."""
    return UpdateJob.objects.filter(district=district).latest("number")


def students(district: District) -> dict[str, Values]:
    """Every student by STUDENT_ID, or username if there is none; only values that are not empty."""
    found = (record.values for page in snapshots.iter_district(district.pk) for record in page)
    return {
        values["STUDENT_ID"] or values["USERNAME"]: {
            column: value for column, value in values.items() if value
        }
        for values in found
    }


def values_of(district: District, key: str, *columns: str) -> tuple[str, ...]:
    """Some values of one student."""
    values = students(district)[key]
    return tuple(values.get(column, "") for column in columns)


def column_of(district: District, column: str) -> Values:
    """Student to the value in one column."""
    return {key: values.get(column, "") for key, values in students(district).items()}


def history(district: District, student_id: str) -> History:
    """What was written down of one student, the oldest first."""
    changes = Change.objects.filter(
        student__district=district, student__student_id=student_id
    ).order_by("pk")
    return [(change.field, change.old, change.new) for change in changes]


def dump(district: District) -> dict[str, tuple[Values, History]]:
    """Every student with all values and the whole history."""
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


def password_of(district: District, student_id: str) -> str:
    """What is stored of a student's password."""
    return Student.objects.get(district=district, student_id=student_id).password


def a_class(size: int, **columns: str) -> str:
    """A file of so many students: s000, s001, … with usernames u000, u001, …; ``columns`` are their formats."""
    rule = {
        "STUDENT_ID": "s{0:03}",
        "USERNAME": "u{0:03}",
        "FIRST_NAME": "Ann{0:03}",
        "LAST_NAME": "Lee{0:03}",
        "DOB": "2012-05-13",
        **columns,
    }
    rows = (",".join(cell.format(number) for cell in rule.values()) for number in range(size))
    return "\n".join([",".join(rule), *rows])


def applying(update: UpdateJob, chunks: int = 0) -> Iterator[None]:
    """Bring the update to where it has applied so many chunks; gives its steps, to go on with."""
    work = runner.run_steps(update.pk)
    for _ in work:
        update.refresh_from_db()
        if update.state == State.APPLYING:
            if chunks == 0:
                break
            chunks -= 1
    return work
