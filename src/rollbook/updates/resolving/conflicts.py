"""3. Resolve conflicts between the rows of a file: duplicates, and unique keys in use.

STUDENT_ID and username are unique. That is checked against the end state: a key is free if the
student that holds it releases it in the same file. Each question is answered by one function, in
this order:

1. Which rows are about the same student? If they don't contradict each other, they are applied
   together as one row; if they do, all are rejected. Which ones can't be distinguished, because
   their IDs differ only in zeros or case, or because one has no ID and two students have its name
   and date of birth? Which new students lack a value that no row gives?
2. Which rows claim the same key? The first one gets it, the others are rejected.
3. Which rows claim a key that another student holds? If the holder doesn't release it, the row is
   rejected; otherwise it depends on the holder's row.
4. Which rows depend on a rejected row? They are rejected too.
5. Which of the remaining rows give a student the name and date of birth of another? They get a
   warning (``possible_duplicates``).
6. In which order can the remaining rows be applied? A key is released before it is assigned, and
   students who exchange keys in a cycle share one place in the order.

All steps only add outcomes, so they can be repeated after a crash: rows that have an outcome are
left alone.
"""

import json
from collections.abc import Iterator

from rollbook.db import planner_stats
from rollbook.studentfile.problems.problem import Problem
from rollbook.studentfile.row_validator import missing_required_values
from rollbook.updates.checking.staged_rows import ORDER_GENERATED_USERNAMES, ORDER_INCOMPLETE
from rollbook.updates.manifest import ranges
from rollbook.updates.models import UpdateJob
from rollbook.updates.resolving import duplicates, possible_duplicates
from rollbook.updates.resolving.apply_order import dependency_order
from rollbook.updates.resolving.duplicates import DuplicateRows
from rollbook.updates.resolving.repeated_numbers import repeated_numbers
from rollbook.updates.resolving.resolver import ConflictResolver, UniqueKey
from rollbook.updates.row_outcomes import ORDER_WITHOUT_LINE
from rollbook.updates.state_machine import Outcome

ORDER_DEPENDENT_ROWS = 1 << 32
"""Rows in dependencies are applied after all others; their ``apply_order`` starts here."""

ROWS_PER_QUERY = 10_000


STUDENT_ID = UniqueKey("claims_student_id", "student_id", "student_id_taken", "STUDENT_ID")
USERNAME = UniqueKey("claims_username", "username", "username_taken", "USERNAME")
UNIQUE_KEYS = (STUDENT_ID, USERNAME)


def steps(update: UpdateJob, run: str) -> Iterator[None]:
    """Resolve the conflicts of an update, one transaction per step.

    Raises:
        Fenced: Another run has taken over the update, or it was canceled.
    """
    if update.rows_staged > planner_stats.SMALL_TABLE_ROWS:
        planner_stats.analyze("updates_stagedrow")
    resolver = ConflictResolver(update, run)
    if not update.same_as:
        yield from _duplicate_students(resolver)
    yield from _duplicate_new_students(resolver)
    yield from _incomplete_new_students(resolver)
    yield from _contested_keys(resolver)
    yield from _keys_in_use(resolver)
    yield from _blocked_rows(resolver)
    yield from possible_duplicates.warn(resolver)
    yield from _assign_apply_order(resolver)


def _duplicate_students(resolver: ConflictResolver) -> Iterator[None]:
    """1a. Which rows are about the same enrolled student?"""
    repeated = repeated_numbers(ranges.students_of(resolver.update))
    found = ranges.lines_of_students(resolver.update, repeated) if repeated else {}
    groups = [DuplicateRows(sorted(lines), student_id) for student_id, lines in found.items()]
    return duplicates.settle(resolver, groups)


def _duplicate_new_students(resolver: ConflictResolver) -> Iterator[None]:
    """1b. Which rows are about the same new student?

    They have the same STUDENT_ID, or the same name and date of birth if one of them has no ID.
    Rows that have been merged into others are included, so that the result after a crash is the
    same as without one.
    """
    new_rows = f"student_id IS NULL AND (outcome IS NULL OR outcome = '{Outcome.UNCHANGED}')"
    same_id = resolver.rows_with_same_key(STUDENT_ID, new_rows)
    yield from duplicates.settle(resolver, [DuplicateRows(lines) for lines in same_id])
    yield from resolver.reject(possible_duplicates.similar_new_ids(resolver))
    same_name, ambiguous = possible_duplicates.new_rows_without_id(resolver)
    named_lines = {line for lines in same_name for line in lines}
    groups = [
        DuplicateRows(lines)
        for lines in duplicates.join_overlapping([*same_name, *same_id])
        if not named_lines.isdisjoint(lines)
    ]
    yield from duplicates.settle(resolver, groups)
    yield from resolver.reject(ambiguous)


_INCOMPLETE_ROWS = f"""
SELECT line, values_json FROM updates_stagedrow
WHERE update_id = %s AND outcome IS NULL AND apply_order >= %s
  AND apply_order < {ORDER_WITHOUT_LINE}
ORDER BY apply_order
LIMIT %s"""


def _incomplete_new_students(resolver: ConflictResolver) -> Iterator[None]:
    """1c. Which new students lack a value that no other row of theirs gives?"""
    size = ROWS_PER_QUERY
    while rows := resolver.query(_INCOMPLETE_ROWS, resolver.update.pk, ORDER_INCOMPLETE, size):
        problems: list[Problem] = []
        for line, values_json in rows:
            problems += missing_required_values(json.loads(values_json), line)
        yield from resolver.reject(problems)


def _contested_keys(resolver: ConflictResolver) -> Iterator[None]:
    """2. Which rows claim the same key?"""
    for key in UNIQUE_KEYS:
        problems: list[Problem] = []
        for lines in resolver.rows_with_same_key(key):
            problems += [Problem(key.code, line, key.column) for line in lines[1:]]
        yield from resolver.reject(problems)


_INSERT_DEPENDENCY = """
INSERT INTO updates_rowdependency (update_id, line, blocked_by_line) VALUES (%s, %s, %s)
ON CONFLICT DO NOTHING"""


def _keys_in_use(resolver: ConflictResolver) -> Iterator[None]:
    """3. Which rows claim a key that another student holds?"""
    update = resolver.update
    for key in UNIQUE_KEYS:
        query = _KEY_IN_USE.format(held=key.held, claimed=key.claimed)
        rows = resolver.query(query, update.district_id, update.pk)
        dependencies, problems = [], []
        for line, releasing_line in rows:
            if releasing_line is None:
                problems.append(Problem(key.code, line, key.column))
            else:
                dependencies.append((update.pk, line, releasing_line))
        yield from resolver.reject(problems)
        resolver.execute_many(_INSERT_DEPENDENCY, dependencies)
        yield


_KEY_IN_USE = """
SELECT claim.line, release.line
FROM updates_stagedrow claim
JOIN students_student holder ON holder.district_id = %s
  AND holder.{held} = claim.{claimed}
  AND holder.id IS DISTINCT FROM claim.student_id
LEFT JOIN updates_stagedrow release ON release.update_id = claim.update_id
  AND release.student_id = holder.id
  AND release.outcome IS DISTINCT FROM 'unchanged'
  AND release.{claimed} IS NOT NULL
WHERE claim.update_id = %s AND claim.outcome IS NULL AND claim.{claimed} IS NOT NULL
ORDER BY claim.line"""
"""The lines of rows that claim a key of another student, and of the row that releases it, or NULL.
The latter may be rejected already; then the former is rejected by the next question, after a crash
as well as without one.
"""

_BLOCKED_ROWS = """
WITH RECURSIVE blocked(line) AS (
  SELECT dependency.line
  FROM updates_rowdependency dependency
  JOIN updates_stagedrow blocker ON blocker.update_id = dependency.update_id
    AND blocker.line = dependency.blocked_by_line
  WHERE dependency.update_id = %s AND blocker.outcome = 'rejected'
  UNION
  SELECT dependency.line
  FROM blocked
  JOIN updates_rowdependency dependency ON dependency.update_id = %s
    AND dependency.blocked_by_line = blocked.line
)
SELECT blocked.line
FROM blocked
JOIN updates_stagedrow staged ON staged.update_id = %s AND staged.line = blocked.line
WHERE staged.outcome IS NULL
ORDER BY blocked.line"""


def _blocked_rows(resolver: ConflictResolver) -> Iterator[None]:
    """4. Which rows depend on a rejected row, directly or through other rows?"""
    pk = resolver.update.pk
    rows = resolver.query(_BLOCKED_ROWS, pk, pk, pk)
    return resolver.reject(Problem("waits_for_rejected", line) for (line,) in rows)


_DEPENDENCIES = "SELECT line, blocked_by_line FROM updates_rowdependency WHERE update_id = %s"

_SET_APPLY_ORDER = f"""
UPDATE updates_stagedrow SET apply_order = %s
WHERE update_id = %s AND line = %s AND apply_order < {ORDER_GENERATED_USERNAMES}"""


def _assign_apply_order(resolver: ConflictResolver) -> Iterator[None]:
    """6. In which order can the remaining rows be applied?"""
    pk = resolver.update.pk
    dependencies = resolver.query(_DEPENDENCIES, pk)
    parameters: list[tuple[int, int, int]] = []
    components = dependency_order(dependencies)
    for apply_order, lines in enumerate(components, start=ORDER_DEPENDENT_ROWS):
        parameters += [(apply_order, pk, line) for line in lines]
    resolver.execute_many(_SET_APPLY_ORDER, parameters)
    yield
