"""Deactivate students who are due, after all rows of the file are applied, chunk by chunk.

Each chunk commits the students, their history, their absences and the counters together. A student
is left alone who isn't active any longer, or whom another update has named or counted since, or,
if a person has approved the plan, who has changed since.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from rollbook.districts.local_dates import local_date
from rollbook.studentfile.problems.problem import Problem
from rollbook.students import absences, snapshots, touched, writer
from rollbook.students.absences import Counted, NewCount
from rollbook.students.writer import ChangeAuthor
from rollbook.updates import transitions
from rollbook.updates.absences.figures import Figures
from rollbook.updates.models import StagedRow, UpdateJob
from rollbook.updates.resolving.resolver import ConflictResolver
from rollbook.updates.row_outcomes import FIRST_WITHOUT_LINE, ORDER_WITHOUT_LINE
from rollbook.updates.state_machine import Mode, Outcome, State

ROWS_PER_CHUNK = 1000

_NEXT = """
SELECT apply_order, id, student_id, student_version, values_json
FROM updates_stagedrow
WHERE update_id = %s AND outcome IS NULL AND apply_order > %s AND apply_order >= %s
ORDER BY apply_order LIMIT %s"""

Row = tuple[int, int, int, int, str]


def steps(update: UpdateJob, run: str) -> Iterator[None]:
    """Deactivate the students who are due, one chunk per step.

    Raises:
        Fenced: Another run has taken over the update, or it was canceled.
    """
    if update.mode != Mode.SYNC:
        return
    update.refresh_from_db(fields=["applied_through_order", "planned_at", "field_counts"])
    last, counts = update.applied_through_order, Counter[str](update.field_counts)
    while rows := _next(update, last):
        last = rows[-1][0]
        with transaction.atomic():
            _deactivate(update, run, rows, counts)
        yield


def _next(update: UpdateJob, after: int) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, [update.pk, after, ORDER_WITHOUT_LINE, ROWS_PER_CHUNK])
        found: list[Row] = cursor.fetchall()
    return found


def _deactivate(update: UpdateJob, run: str, rows: Sequence[Row], counts: Counter[str]) -> None:
    """Write one chunk, in the caller's transaction.

    Raises:
        Fenced: Another run has taken over the update, or it was canceled.
    """
    before = absences.counted(update.district_id, [row[2] for row in rows])
    due = _still_due(update, rows, before)
    now = timezone.now()
    if due:
        author = ChangeAuthor(update.pk, update.member_id, now)
        changes = {student: changed for _, _, student, _, changed in due}
        writer.apply_simple_changes(["STATUS"], changes, author)
        students = [row[2] for row in due]
        new = [_counted(update, before, student) for student in students]
        absences.write(update.district_id, update.pk, new, now)
        touched.settle(update.pk, students)
    kept = {row[1] for row in rows} - {row[1] for row in due}
    if kept:
        StagedRow.objects.filter(pk__in=kept).update(outcome=Outcome.UNCHANGED)
    counts["STATUS"] += len(due)
    transitions.record_progress(
        update.pk,
        State.APPLYING,
        run,
        applied_through_order=rows[-1][0],
        rows_deactivated=F("rows_deactivated") + len(due),
        field_counts=+counts,
    )


def _still_due(update: UpdateJob, rows: Sequence[Row], before: Mapping[int, Counted]) -> list[Row]:
    """Lock the students of rows; return the rows of those who are still to be deactivated.

    The others aren't active any longer, another update has named or counted them since, or they
    have changed since a person approved the plan. The update from which this one was split has
    counted the same file.
    """
    versions = snapshots.lock_versions([row[2] for row in rows])
    active = absences.active(versions)
    is_pinned = update.planned_at is not None
    due: list[Row] = []
    for row in rows:
        _, _, student, version, _ = row
        counted = before.get(student)
        is_approved = not is_pinned or versions.get(student) == version
        if student in active and is_approved and counted and counted.number < update.number:
            due.append(row)
    return due


def _counted(update: UpdateJob, before: Mapping[int, Counted], student: int) -> NewCount:
    """Return the absence of a student whom the update deactivates."""
    counted = before[student]
    day = local_date(update.district, update.received_at)
    is_new_day = local_date(update.district, counted.received_at) < day
    return NewCount(student, counted.since, counted.files + int(is_new_day))


def postpone(update: UpdateJob, run: str) -> None:
    """Deactivate nobody, and report that, in the transaction in which checking ends.

    Raises:
        Fenced: Another run has taken over the update, or it was canceled.
    """
    rows = StagedRow.objects.filter(update=update, line__gte=FIRST_WITHOUT_LINE)
    postponed, _ = rows.delete()
    figures = replace(Figures.from_json(update.absences or {}), postponed=postponed)
    resolver = ConflictResolver(update, run)
    resolver.report([Problem("removals_postponed")], {"absences": figures.as_json()})
