"""Read the IDs of a district's students by school, from indexes that don't have the students."""

from array import array
from dataclasses import dataclass

from django.db import connection

_JOIN = {
    "sqlite": "group_concat(student.id)",
    "postgresql": "string_agg(student.id::text, ',')",
}[connection.vendor]
_IDS = f"""
SELECT school.organization_id, {_JOIN}
FROM districts_school school JOIN students_student student ON student.school_id = school.id
WHERE school.district_id = %s {{condition}}
GROUP BY school.id, school.organization_id"""
_ALL = _IDS.format(condition="")
_INACTIVE = _IDS.format(condition="AND student.status = 'inactive'")


@dataclass(frozen=True, slots=True)
class Roster:
    """The students of a district by the SCHOOL_ID of their school.

    Attributes:
        students: Their IDs.
        inactive: The IDs of those who are inactive.
    """

    students: dict[str, "array[int]"]
    inactive: dict[str, "array[int]"]

    @property
    def active(self) -> int:
        """The number of active students."""
        return sum(map(len, self.students.values())) - sum(map(len, self.inactive.values()))


def load(district_id: int) -> Roster:
    """Return the students of a district."""
    return Roster(_load(_ALL, district_id), _load(_INACTIVE, district_id))


def _load(query: str, district_id: int) -> dict[str, "array[int]"]:
    with connection.cursor() as cursor:
        cursor.execute(query, [district_id])
        return {school: array("q", map(int, keys.split(","))) for school, keys in cursor}
