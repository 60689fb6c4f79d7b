"""Find enrolled students whom another one resembles, so that a person can say that they are two."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from django.db.models import QuerySet

from rollbook.students import similar_ids, snapshots
from rollbook.students.models import Student
from rollbook.students.name_keys import loose_key, name_and_dob
from rollbook.students.writer import NAME_COLUMNS

MAX_LISTED = 5


class ConfirmationRequired(Exception):
    """A student resembles others, and nobody has confirmed that they are different people.

    Attributes:
        students: The IDs in the database of the others, at most ``MAX_LISTED``.
    """

    def __init__(self, students: Sequence[int]) -> None:
        super().__init__(f"the student resembles {len(students)} others")
        self.students = tuple(students)


def require_none(
    district_id: int,
    values: Mapping[str, str],
    columns: Collection[str],
    pk: int | None = None,
) -> None:
    """Require that no other student has nearly the same name and date of birth, or STUDENT_ID.

    Args:
        district_id: The district whose students are searched.
        values: Column to value of the student.
        columns: The columns that are new or change; the others aren't looked at.
        pk: The student's ID in the database, if the student exists.

    Raises:
        ConfirmationRequired: Another student has.
    """
    others = [other for other in _similar(district_id, values, columns) if other != pk]
    if others:
        raise ConfirmationRequired(list(dict.fromkeys(others))[:MAX_LISTED])


def namesakes(student: Student, among: QuerySet[Student]) -> list[Student]:
    """Return other students with exactly the name and date of birth, at most ``MAX_LISTED``."""
    candidates = among.filter(
        district=student.district_id, loose_key=student.loose_key, dob=student.dob
    ).exclude(pk=student.pk)
    key = _exact_key(student)
    same = (other for other in candidates.order_by("pk").iterator() if _exact_key(other) == key)
    return [other for other, _ in zip(same, range(MAX_LISTED), strict=False)]


def _exact_key(student: Student) -> tuple[str, str]:
    return name_and_dob(
        {
            "FIRST_NAME": student.first_name,
            "LAST_NAME": student.last_name,
            "DOB": str(student.dob),
        }
    )


def _similar(
    district_id: int, values: Mapping[str, str], columns: Collection[str]
) -> Iterator[int]:
    """Yield the IDs in the database of similar students, and of the student."""
    students = Student.objects.filter(district=district_id).order_by("pk")
    if not {*NAME_COLUMNS, "DOB"}.isdisjoint(columns):
        same_name = students.filter(loose_key=loose_key(values))
        yield from same_name.values_list("pk", flat=True)[: MAX_LISTED + 1]
    if "STUDENT_ID" in columns and values["STUDENT_ID"]:
        similar = similar_ids.find(district_id, [values["STUDENT_ID"]])
        yield from snapshots.find_key_holders(
            district_id, "STUDENT_ID", list(similar.values())
        ).values()
