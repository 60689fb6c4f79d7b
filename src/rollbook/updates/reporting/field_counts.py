"""In how many students each column changed by an update: counted chunk by chunk, with the changes themselves."""

from collections import Counter

from django.db.models import Count

from rollbook.studentfile.columns import COLUMNS
from rollbook.students.models import Change
from rollbook.students.writer import STUDENT_ADDED
from rollbook.updates.models import UpdateJob

_ORDER = [STUDENT_ADDED, *(column.name for column in COLUMNS)]


def changes_by_field(update: UpdateJob) -> dict[str, int]:
    """Column to the number of students in whom it changed, in the documented order; STUDENT counts those added."""
    counts = load_field_counts(update)
    return {column: counts[column] for column in _ORDER if counts[column]}


def load_field_counts(update: UpdateJob) -> Counter[str]:
    """The same for whoever goes on counting. What an earlier version of Rollbook applied is looked up."""
    if update.field_counts is None:
        found = (
            Change.objects.filter(update=update)
            .order_by()
            .values_list("field")
            .annotate(count=Count("pk"))
        )
        return Counter(dict(found))
    return Counter(update.field_counts)
