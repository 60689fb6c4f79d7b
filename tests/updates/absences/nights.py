"""Helpers for tests of full sync: nights on which a file is sent, and who is missing after them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from rollbook.districts.models import District
from rollbook.students.manual import edits
from rollbook.students.models import Absence, Student
from rollbook.students.writer import ChangeAuthor
from rollbook.updates.models import UpdateJob
from rollbook.updates.planning import decisions, limit_sets
from rollbook.updates.planning.decisions import Decider
from rollbook.updates.planning.limit_document import LimitDocument, WhenExceeded
from rollbook.updates.planning.limits import Limit, Limits
from rollbook.updates.reporting.report import Report
from rollbook.updates.state_machine import Mode
from tests.updates.night import finish, send, students

FIRST_NIGHT = datetime(2026, 9, 1, 8, tzinfo=UTC)
HEADER = "STUDENT_ID,FIRST_NAME,LAST_NAME,DOB,GENDER,GRADE,SCHOOL_ID,ELL,SPECIAL_ED"


def row(key: str, school: str = "100", grade: str = "4", **cells: str) -> str:
    """Return the row of a student, whose names and date of birth follow from the key."""
    number = sum(ord(letter) * 31**at for at, letter in enumerate(key))
    names = "".join(chr(ord("a") + number // 26**at % 26) for at in range(5))
    values = {
        "STUDENT_ID": key,
        "FIRST_NAME": f"F{names}",
        "LAST_NAME": f"L{names[::-1]}",
        "DOB": f"2014-{number % 12 + 1:02}-{number % 28 + 1:02}",
        "GENDER": "f",
        "GRADE": grade,
        "SCHOOL_ID": school,
        "ELL": "n",
        "SPECIAL_ED": "n",
    }
    return ",".join({**values, **cells}.values())


def file_with(rows: Iterable[str]) -> str:
    """Return a file with these rows."""
    return "\n".join([HEADER, *rows])


def sent(district: District, text: str, night: float, **columns: Any) -> UpdateJob:
    """Send a file on a night, the first of which is 0; the update isn't run."""
    update = send(district, text, columns.pop("mode", Mode.SYNC), **columns)
    received_at = FIRST_NIGHT + timedelta(days=night)
    UpdateJob.objects.filter(pk=update.pk).update(received_at=received_at)
    return update


def night(district: District, number: float, rows: Iterable[str], **columns: Any) -> Report:
    """Send a file with these rows on a night, and run its update until it ends or waits."""
    return finish(sent(district, file_with(rows), number, **columns))


def statuses(district: District) -> Mapping[str, str]:
    """Return the status of each student."""
    return {key: values["STATUS"] for key, values in students(district).items()}


def inactive(district: District) -> set[str]:
    """Return the inactive students."""
    return {key for key, status in statuses(district).items() if status == "inactive"}


def missing(district: District) -> dict[str, int]:
    """Return the files without each missing student."""
    found = Absence.objects.filter(district=district, deactivated_at=None)
    return {key or "": files for key, files in found.values_list("student__student_id", "files")}


def set_status(district: District, key: str, status: str) -> None:
    """Let a person set the status of a student."""
    pk = Student.objects.get(district=district, student_id=key).pk
    author = ChangeAuthor(None, None, timezone.now())
    edits.edit(district.pk, pk, {"STATUS": status}, author, timezone.now().date())


def limit(district: District, count: int, way: WhenExceeded = WhenExceeded.HOLD) -> None:
    """Let an update deactivate at most so many students."""
    limits = Limits({"deactivated": Limit(0, count)}, {})
    limit_sets.save(district, LimitDocument(limits, when_exceeded=way), None, timezone.now())


def approve(district: District, report: Report, without: Sequence[str] = ()) -> Report:
    """Approve the plan of an update, and let it end."""
    assert report.plan
    now = timezone.now()
    update = decisions.approve(
        district, report.number, report.plan.digest, Decider(None), now, without
    )
    return finish(update)
