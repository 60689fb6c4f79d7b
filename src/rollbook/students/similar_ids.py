"""Find student IDs that are equal except for leading zeros or case."""

from collections.abc import Collection

from django.db import connection
from django.db.models import CharField, F, Func

from rollbook.db.json_keys import as_json_parameter, lateral_lookup_sql
from rollbook.students.sql import named_query


def folded_sql(column: str) -> str:
    """Return the SQL expression for ``fold``, as in the index ``student_folded_id``."""
    return f"LOWER(LTRIM({column}, '0'))"


FOLDED_ID = Func(F("student_id"), template=folded_sql("%(expressions)s"), output_field=CharField())
"""The same as an expression of a query; with a parameter, SQLite wouldn't use the index."""

_STUDENTS = lateral_lookup_sql(
    "students_student",
    "student",
    f"student.district_id = %s AND {folded_sql('student.student_id')} = item.value",
)
_FIND = named_query("find_similar_ids", students=_STUDENTS)


def fold(student_id: str) -> str:
    """Return the ID without leading zeros and in lower case; IDs are ASCII."""
    return student_id.lstrip("0").lower()


def find(district_id: int, student_ids: Collection[str]) -> dict[str, str]:
    """Find students whose ID equals one of these unknown IDs except for leading zeros or case.

    Returns:
        The folded ID to the ID of a student; if there are several, of the first one.
    """
    if not student_ids:
        return {}
    folded = {fold(student_id) for student_id in student_ids}
    with connection.cursor() as cursor:
        cursor.execute(_FIND, [as_json_parameter(folded), district_id])
        return {folded_id: student_id for folded_id, student_id, _ in cursor.fetchall()}


def hint(student_id: str, similar_id: str) -> str:
    """Return how to fix an ID for which there is a student with a similar one."""
    if student_id.lower() == similar_id.lower():
        return f"{similar_id} exists: case matters in IDs, so write it like that"
    return (
        f"{similar_id} exists: did a spreadsheet drop the zeros? "
        "Format the column as text and export again"
    )
