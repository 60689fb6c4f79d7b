"""Ten students whose records are all known, and changes of them."""

from django.db.models import F

from rollbook.students.models import Student
from tests.updates.night import a_class

ALL = {f"s{number:03}" for number in range(10)}
NIGHT = a_class(10, GRADE="4")


def edit(key: str, **values: object) -> None:
    """Change a student as the only writer of students does."""
    changed = Student.objects.filter(student_id=key).update(version=F("version") + 1, **values)
    assert changed == 1


def with_row(key: str, grade: str) -> str:
    """Return the file in which one student has another grade."""
    rows = NIGHT.splitlines()
    return "\n".join(row.replace(",4", f",{grade}") if key in row else row for row in rows)


def pk_of(key: str) -> int:
    return Student.objects.get(student_id=key).pk
