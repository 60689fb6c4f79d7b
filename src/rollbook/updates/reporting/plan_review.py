"""What a person needs to review a plan besides its figures: samples, and what is out of date."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import connection

from rollbook.db.json_keys import as_json_parameter, lateral_lookup_sql
from rollbook.students.models import Change
from rollbook.updates.models import UpdateJob
from rollbook.updates.reporting import rows
from rollbook.updates.reporting.rows import FieldChange, RowView

ROWS_READ = 250
"""Rows from which samples are taken, so that a plan of a million rows is shown as fast."""

SAMPLES_PER_COLUMN = 3
MAX_RECENT_CHANGES = 5000
"""Changes in the history, the latest ones, in which students of a plan are looked for."""


@dataclass(frozen=True)
class Sample:
    """The change of one column of one student.

    Attributes:
        row: The row, without values of confidential columns.
        change: The change.
    """

    row: RowView
    change: FieldChange


@dataclass
class Samples:
    """Samples of what a plan changes.

    Attributes:
        columns: For each column, its first changes.
        added: The first rows that add a student.
    """

    columns: dict[str, list[Sample]] = field(default_factory=dict)
    added: list[RowView] = field(default_factory=list)

    @property
    def rows(self) -> Sequence[RowView]:
        """The rows that are shown."""
        changed = [sample.row for samples in self.columns.values() for sample in samples]
        return [*changed, *self.added]


@dataclass(frozen=True)
class OutOfDate:
    """Rows of a plan whose students have changed since they were compared.

    Attributes:
        rows: How many there are.
        is_minimum: Whether there can be more, because too much has changed to count it.
    """

    rows: int
    is_minimum: bool


def find_samples(update: UpdateJob) -> Samples:
    """Return samples from the first rows that would be applied; values are not confidential."""
    samples = Samples()
    for row in rows.rows_of(update, rows.WAITING, size=ROWS_READ).items:
        shown = row.without_confidential()
        if row.is_new:
            if len(samples.added) < SAMPLES_PER_COLUMN:
                samples.added.append(shown)
            continue
        for change in shown.changes:
            taken = samples.columns.setdefault(change.column, [])
            if len(taken) < SAMPLES_PER_COLUMN:
                taken.append(Sample(shown, change))
    return samples


_STAGED = lateral_lookup_sql(
    "updates_stagedrow",
    "staged",
    "staged.update_id = %s AND staged.student_id = CAST(item.value AS bigint)"
    " AND staged.outcome IS NULL",
)
_OUT_OF_DATE = f"""
SELECT COUNT(*)
FROM {_STAGED}
JOIN students_student present ON present.id = staged.student_id
WHERE present.version <> staged.student_version"""


def count_out_of_date(update: UpdateJob) -> OutOfDate:
    """Return how many rows would be rejected now, because their students have changed since.

    Only the latest changes of the history are looked at, however many there are.
    """
    since = update.started_at or update.received_at
    latest = Change.objects.order_by("-pk").values_list("pk", "changed_at")
    oldest = latest[MAX_RECENT_CHANGES - 1 : MAX_RECENT_CHANGES].first()
    changes = Change.objects.filter(changed_at__gte=since)
    if oldest:
        changes = changes.filter(pk__gte=oldest[0])
    is_minimum = oldest is not None and oldest[1] >= since
    students = set(changes.values_list("student_id", flat=True))
    if not students:
        return OutOfDate(0, is_minimum)
    with connection.cursor() as cursor:
        cursor.execute(_OUT_OF_DATE, [as_json_parameter(students), update.pk])
        (count,) = cursor.fetchone()
    return OutOfDate(count, is_minimum)
