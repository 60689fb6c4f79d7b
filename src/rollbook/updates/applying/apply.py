"""4. Apply staged rows, chunk by chunk.

Each chunk commits its students, history, outcomes and counters together; the staged rows without
an outcome are the remaining work. Each chunk is compared with the students as they are now
(``chunk_plan``), so the history is correct whatever has changed since the check, and a row that
has become impossible is rejected alone.
"""

import time
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from operator import mul

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from rollbook.db import planner_stats
from rollbook.studentfile.problems.problem import Problem
from rollbook.students import snapshots as students_snapshots
from rollbook.students import touched, writer
from rollbook.students.snapshots import StudentSnapshot
from rollbook.students.writer import ChangeAuthor
from rollbook.updates import problem_store, transitions
from rollbook.updates.applying.chunk_plan import (
    KEY_COLUMNS,
    ChangeTask,
    ChunkPlan,
    ChunkRows,
    Claims,
    PendingRow,
    claim_keys,
)
from rollbook.updates.models import AddedStudents, StagedRow, UpdateJob
from rollbook.updates.reporting import field_counts
from rollbook.updates.row_outcomes import ORDER_WITHOUT_LINE
from rollbook.updates.state_machine import Outcome, State

CHUNK_SECONDS = 0.25
"""How long a chunk should take, and a cancel wait at most; see docs/decisions/0008-databases.md.

It takes longer if the commit alone needs more than half of it.
"""

MIN_CHUNK_ROWS, MAX_CHUNK_ROWS = 100, 5000

_LINK_COLUMNS = frozenset({"GROUPS", "STAFF", "SCHOOL_ID"})


def steps(update: UpdateJob, run: str) -> Iterator[None]:
    """Apply the staged rows of an update, one chunk per step.

    Raises:
        Fenced: Another run has taken over the update, or it was canceled.
    """
    size, last_order = MIN_CHUNK_ROWS, update.applied_through_order
    counts = field_counts.load_field_counts(update)
    growth = planner_stats.AnalyzeOnGrowth("students_student", "students_student_groups")
    while True:
        started = time.monotonic()
        with transaction.atomic():
            planner_stats.disable_seqscan()
            rows = _next_rows(update, size, last_order)
            if not rows:
                return
            last_order = rows[-1].apply_order
            _apply(update, run, rows, counts)
            applied = time.monotonic()
        size = _next_size(size, applied - started, time.monotonic() - applied)
        growth.add_rows(sum(row.student_id is None for row in rows))
        yield


def _next_size(size: int, seconds: float, commit_seconds: float) -> int:
    """Return how many rows the next chunk should have, at most twice as many as this one.

    A commit takes as long for few rows as for many. Where the disk is busy, smaller chunks would
    only mean more commits, so the rows always get half of the time.

    Args:
        size: The rows of this chunk.
        seconds: How long they took.
        commit_seconds: How long the commit took.
    """
    wanted = max(CHUNK_SECONDS - commit_seconds, CHUNK_SECONDS / 2)
    next_size = int(size * min(2.0, wanted / max(seconds, 0.001)))
    return max(MIN_CHUNK_ROWS, min(MAX_CHUNK_ROWS, next_size))


_NEXT_ROWS = """
SELECT apply_order, id, line, student_id, student_version, values_json, simple_columns,
  fingerprint, claims_name_key, claims_loose_key
FROM updates_stagedrow
WHERE update_id = %s AND outcome IS NULL AND apply_order > %s
  AND apply_order <= (
    SELECT MAX(apply_order) FROM (
      SELECT apply_order
      FROM updates_stagedrow
      WHERE update_id = %s AND outcome IS NULL AND apply_order > %s AND apply_order < %s
      ORDER BY apply_order
      LIMIT %s
    ) AS next_orders
  )
ORDER BY apply_order, line"""


def _next_rows(update: UpdateJob, size: int, after: int) -> list[PendingRow]:
    """Load the rows of the next chunk; rows that share an apply order are never separated.

    Rows without a line come later, see ``absences/deactivate.py``.

    Args:
        update: The update.
        size: How many rows there should be.
        after: The apply order up to which all rows are applied.
    """
    with connection.cursor() as cursor:
        cursor.execute(_NEXT_ROWS, [update.pk, after, update.pk, after, ORDER_WITHOUT_LINE, size])
        return [PendingRow(*row) for row in cursor.fetchall()]


def _apply(update: UpdateJob, run: str, rows: Sequence[PendingRow], counts: Counter[str]) -> None:
    """Write one chunk, in the caller's transaction.

    Args:
        update: The update.
        run: The ID of the run that holds the update.
        rows: The rows of the chunk.
        counts: Column to number of students whose value changed; this chunk's are added.

    Raises:
        Fenced: Another run has taken over the update, or it was canceled.
    """
    plan = _plan(update, rows)
    counts.update(plan.field_counts())
    _write_students(update, plan, rows[-1].apply_order)
    _write_outcomes(rows, plan)
    counters: dict[str, object] = {
        outcome: F(outcome) + count for outcome, count in plan.outcome_counts().items()
    }
    counters |= {"applied_through_order": rows[-1].apply_order, "field_counts": +counts}
    _progress(update, run, plan.rejected, counters)


def _plan(update: UpdateJob, rows: Sequence[PendingRow]) -> ChunkPlan:
    """Lock the students of a chunk and load all that its plan needs."""
    versions = students_snapshots.lock_versions(
        [row.student_id for row in rows if row.student_id is not None]
    )
    schools: Mapping[str, int] = {}
    if any(row.student_id is None or not row.simple_columns for row in rows):
        schools = writer.school_keys(update.district_id)
    is_pinned = update.planned_at is not None
    chunk = ChunkRows.split(rows, versions, schools, is_pinned=is_pinned)
    snapshots = _load_snapshots(chunk.changes)
    holders = _load_holders(update.district_id, claim_keys(chunk, snapshots))
    return ChunkPlan.build(chunk, snapshots, holders)


def _load_snapshots(tasks: Sequence[ChangeTask]) -> dict[int, StudentSnapshot]:
    """Load the students to compare rows with; their links only if a row may change them."""
    snapshots = students_snapshots.load_by_id([task.student_id for task in tasks])
    if any(not task.values.keys().isdisjoint(_LINK_COLUMNS) for task in tasks):
        students_snapshots.add_links(snapshots.values())
    return snapshots


def _load_holders(district_id: int, claims: Mapping[int, Claims]) -> dict[str, dict[str, int]]:
    """Load which students hold the keys that the rows of a chunk claim."""
    keys: defaultdict[str, list[str]] = defaultdict(list)
    for claim in claims.values():
        for column, key in claim.items():
            if key is not None:
                keys[column].append(key)
    return {
        column: students_snapshots.find_key_holders(district_id, column, keys[column])
        for column in KEY_COLUMNS
    }


def _write_students(update: UpdateJob, plan: ChunkPlan, number: int) -> None:
    """Write what a chunk does to students, and which students it adds.

    Args:
        update: The update.
        plan: The plan of the chunk.
        number: The apply order of its last row.
    """
    author = ChangeAuthor(update.pk, update.member_id, timezone.now())
    for columns, simple_changes in plan.simple_changes.items():
        writer.apply_simple_changes(columns.split(","), simple_changes, author)
    writer.apply_changes(update.district_id, list(plan.changes.values()), author)
    touched.settle(update.pk, plan.settled_students())
    new = plan.new_students
    added = writer.add_students(update.district_id, list(new.values()), author)
    if added:
        signs = (1 if student.fingerprint is not None else -1 for student in new.values())
        AddedStudents.objects.create(
            update=update,
            number=number,
            line_numbers=array("q", new).tobytes(),
            student_ids=array("q", map(mul, signs, added)).tobytes(),
        )


def _write_outcomes(rows: Sequence[PendingRow], plan: ChunkPlan) -> None:
    """Write the outcomes of rows that were not applied.

    The others are covered by ``applied_through_order``.
    """
    lines_by_outcome = (
        (Outcome.UNCHANGED, plan.unchanged_lines),
        (Outcome.REJECTED, plan.rejected_lines),
    )
    for outcome, lines in lines_by_outcome:
        if lines:
            pks = [row.pk for row in rows if row.line in lines]
            StagedRow.objects.filter(pk__in=pks).update(outcome=outcome)


def _progress(
    update: UpdateJob, run: str, rejected: Sequence[Problem], counters: Mapping[str, object]
) -> None:
    """Write the problems and counters of a chunk.

    Raises:
        Fenced: Another run has taken over the update, or it was canceled.
    """
    columns = dict(counters)
    if rejected:
        counts = UpdateJob.objects.values_list("problem_counts", flat=True).get(pk=update.pk)
        columns["problem_counts"] = problem_store.counts(rejected, counts)
        problem_store.save_problems(update.pk, rejected)
    transitions.record_progress(update.pk, State.APPLYING, run, **columns)
