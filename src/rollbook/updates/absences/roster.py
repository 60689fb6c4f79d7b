"""Read the IDs of a district's students by school, as one text for each school.

SQLite reads them from the index of schools and that of inactive students, and never the table.
PostgreSQL has no ID in these, so it reads the students of the district once.
"""

import json
from array import array
from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection

from rollbook.districts.models import School

# With GROUP BY instead, SQLite sorts all IDs first.
_OF_SCHOOLS = """
SELECT school.id, {is_inactive}, (
  SELECT group_concat(student.id) FROM students_student student
  WHERE student.school_id = school.id {condition}
)
FROM districts_school school
WHERE school.district_id = %s"""
_QUERIES = {
    "sqlite": (
        _OF_SCHOOLS.format(is_inactive=0, condition=""),
        _OF_SCHOOLS.format(is_inactive=1, condition="AND student.status = 'inactive'"),
    ),
    "postgresql": (
        "SELECT school_id, status = 'inactive', string_agg(id::text, ',')"
        " FROM students_student WHERE district_id = %s GROUP BY 1, 2",
    ),
}[connection.vendor]


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
    schools = School.objects.filter(district=district_id)
    names = dict(schools.values_list("pk", "organization_id"))
    roster = Roster({}, {})
    for school, is_inactive, keys in _load(district_id):
        students = array("q", json.loads(f"[{keys or ''}]"))
        if is_inactive:
            roster.inactive[names[school]] = students
        if not is_inactive or connection.vendor == "postgresql":
            known = roster.students.setdefault(names[school], array("q"))
            known.extend(students)
    return roster


def _load(district_id: int) -> Iterator[tuple[int, bool, str | None]]:
    with connection.cursor() as cursor:
        for query in _QUERIES:
            cursor.execute(query, [district_id])
            yield from cursor.fetchall()
