"""4. Apply staged rows, chunk by chunk.

Each chunk commits its students, history, outcomes and counters together; the staged rows without
an outcome are the remaining work. Each chunk is compared with the students as they are now
(``chunk_plan``), so the history is correct whatever has changed since the check, and a row that
has become impossible is rejected alone. On PostgreSQL, two chunks at a time are applied
(``pairs``).
"""

import time
from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from operator import attrgetter, mul

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from rollbook.db import planner_stats
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
    keys_in,
)
from rollbook.updates.applying.pairs import Applier, ChunkPlace
from rollbook.updates.models import AddedStudents, StagedRow, UpdateJob
from rollbook.updates.resolving.conflicts import ORDER_DEPENDENT_ROWS
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
    counts = Counter[str](update.field_counts)
    growth = planner_stats.AnalyzeOnGrowth("students_student", "students_student_groups")
    work = partial(_commit, update, run, counts)
    with Applier() as applier:
        while True:
            started = time.monotonic()
            asked = applier.chunks_at_once(size) * size
            following = _next_rows(update, asked, last_order)
            if not following:
                return
            chunks = _split_chunks(following, size)
            commits = applier.apply(work, chunks)
            seconds = time.monotonic() - started - commits[0]
            size = _next_size(size, seconds, commits[0])
            applied = chunks[: len(commits)]
            for rows in applied:
                last_order = rows[-1].apply_order
                growth.add_rows(sum(row.student_id is None for row in rows))
            yield
            if sum(map(len, applied)) == len(following) < asked:
                return


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
ORDER BY apply_order, id"""


def _next_rows(update: UpdateJob, size: int, after: int) -> list[PendingRow]:
    """Load the rows of the next chunk; rows that share an apply order are never separated.

    Rows without a line come later, see ``absences/deactivate.py``.

    Args:
        update: The update.
        size: How many rows there should be.
        after: The apply order up to which all rows are applied.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        planner_stats.disable_seqscan()
        cursor.execute(_NEXT_ROWS, [update.pk, after, update.pk, after, ORDER_WITHOUT_LINE, size])
        return [PendingRow(*row) for row in cursor.fetchall()]


def _split_chunks(rows: Sequence[PendingRow], size: int) -> list[Sequence[PendingRow]]:
    """Return the first chunk of rows, and the second one if both may be applied together.

    Rows that depend on others are applied one chunk after the other, and so are new students whose
    usernames are generated.

    Args:
        rows: Rows in their order.
        size: How many rows the first chunk should have, at least, if there are as many.
    """
    if len(rows) <= size:
        return [rows] if rows else []
    cut = bisect_right(rows, rows[size - 1].apply_order, key=attrgetter("apply_order"))
    if cut == len(rows) or rows[-1].apply_order >= ORDER_DEPENDENT_ROWS:
        return [rows[:cut]]
    return [rows[:cut], rows[cut:]]


def _commit(
    update: UpdateJob,
    run: str,
    counts: Counter[str],
    rows: Sequence[PendingRow],
    place: ChunkPlace,
) -> float:
    """Apply one chunk in a transaction; return how long the commit took, in seconds.

    The arguments are those of ``_apply``, which raises the same.
    """
    with place.transaction():
        with transaction.atomic():
            planner_stats.disable_seqscan()
            _apply(update, run, rows, counts, place)
            applied = time.monotonic()
        return time.monotonic() - applied


def _apply(
    update: UpdateJob,
    run: str,
    rows: Sequence[PendingRow],
    counts: Counter[str],
    place: ChunkPlace,
) -> None:
    """Write one chunk, in the caller's transaction.

    Foreign keys are checked before the counters are written: until the commit, the update itself
    is locked.

    Args:
        update: The update.
        run: The ID of the run that holds the update.
        rows: The rows of the chunk.
        counts: Column to number of students whose value changed; this chunk's are added.
        place: The chunk's place among those that are applied at the same time.

    Raises:
        Fenced: Another run has taken over the update, or it was canceled.
        NotCommitted: The chunk before wasn't committed.
    """
    author = ChangeAuthor(update.pk, update.member_id, timezone.now())
    chunk = _lock_and_split(update, rows)
    for columns, simple_changes in chunk.simple_changes.items():
        writer.apply_simple_changes(columns.split(","), simple_changes, author)
    place.wait_until_written()
    plan = _plan(update, chunk)
    _write_others(update, plan, author, rows[-1].apply_order)
    _write_outcomes(rows, plan)
    place.set_written()
    if connection.vendor == "postgresql":
        connection.check_constraints()
    place.wait_until_committed()
    counts.update(plan.field_counts())
    outcomes = plan.outcome_counts().items()
    counters: dict[str, object] = {outcome: F(outcome) + count for outcome, count in outcomes}
    counters |= {"applied_through_order": rows[-1].apply_order, "field_counts": +counts}
    counters |= problem_store.report(update, plan.rejected)
    transitions.record_progress(update.pk, State.APPLYING, run, **counters)


def _lock_and_split(update: UpdateJob, rows: Sequence[PendingRow]) -> ChunkRows:
    """Lock the students of a chunk, and split its rows by what has to be loaded for them."""
    versions = students_snapshots.lock_versions(
        [row.student_id for row in rows if row.student_id is not None]
    )
    schools: Mapping[str, int] = {}
    if any(row.student_id is None or not row.simple_columns for row in rows):
        schools = writer.school_keys(update.district_id)
    is_pinned = update.planned_at is not None
    return ChunkRows.split(rows, versions, schools, is_pinned=is_pinned)


def _plan(update: UpdateJob, chunk: ChunkRows) -> ChunkPlan:
    """Load all that the plan of a chunk needs."""
    snapshots = _load_snapshots(chunk.changes)
    claims = claim_keys(chunk, snapshots)
    return ChunkPlan.build(chunk, snapshots, claims, _load_holders(update.district_id, claims))


def _load_snapshots(tasks: Sequence[ChangeTask]) -> dict[int, StudentSnapshot]:
    """Load the students to compare rows with; their links only if a row may change them."""
    snapshots = students_snapshots.load_by_id([task.student_id for task in tasks])
    if any(not task.values.keys().isdisjoint(_LINK_COLUMNS) for task in tasks):
        students_snapshots.add_links(snapshots.values())
    return snapshots


def _load_holders(district_id: int, claims: Mapping[int, Claims]) -> dict[str, dict[str, int]]:
    """Load which students hold the keys that the rows of a chunk claim."""
    return {
        column: students_snapshots.find_key_holders(district_id, column, keys_in(claims, column))
        for column in KEY_COLUMNS
    }


def _write_others(update: UpdateJob, plan: ChunkPlan, author: ChangeAuthor, number: int) -> None:
    """Write what a chunk does to students besides simple changes, and which students it adds.

    Args:
        update: The update.
        plan: The plan of the chunk.
        author: The update as author.
        number: The apply order of its last row.
    """
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
    outcomes = {Outcome.UNCHANGED: plan.unchanged_lines, Outcome.REJECTED: plan.rejected_lines}
    for outcome, lines in outcomes.items():
        if lines:
            pks = [row.pk for row in rows if row.line in lines]
            StagedRow.objects.filter(pk__in=pks).update(outcome=outcome)
