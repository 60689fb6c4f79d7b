"""Count the students whose value changed, by column; counted chunk by chunk as changes are made."""

from collections import Counter

from rollbook.studentfile.columns import COLUMNS
from rollbook.students.writer import STUDENT_ADDED
from rollbook.updates.models import UpdateJob

_ORDER = [STUDENT_ADDED, *(column.name for column in COLUMNS)]


def changes_by_field(update: UpdateJob) -> dict[str, int]:
    """Return the number of changed students by column, in the documented order of the columns.

    The key STUDENT has the number of added students.
    """
    counts = Counter[str](update.field_counts)
    return {column: counts[column] for column in _ORDER if counts[column]}
