"""Count the students whose value changed, by column; counted chunk by chunk as changes are made."""

from collections import Counter

from django.db.models import Count

from rollbook.studentfile.columns import COLUMNS
from rollbook.students.models import Change
from rollbook.students.writer import STUDENT_ADDED
from rollbook.updates.models import UpdateJob

_ORDER = [STUDENT_ADDED, *(column.name for column in COLUMNS)]


def changes_by_field(update: UpdateJob) -> dict[str, int]:
    """Return the number of changed students by column, in the documented order of the columns.

    The key STUDENT has the number of added students.
    """
    counts = load_field_counts(update)
    return {column: counts[column] for column in _ORDER if counts[column]}


def load_field_counts(update: UpdateJob) -> Counter[str]:
    """Return the same counts without order, so that applying can add to them.

    Updates without stored counts, applied by an earlier version of Rollbook, are counted from the
    history.
    """
    if update.field_counts is None:
        changes = Change.objects.filter(update=update).order_by().values_list("field")
        return Counter(dict(changes.annotate(count=Count("pk"))))
    return Counter(update.field_counts)
