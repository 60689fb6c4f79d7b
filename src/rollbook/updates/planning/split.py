"""Hold the rows of some schools as an update of their own, and let the rest be applied.

The new update has the rows that would be applied or were rejected, with their problems; rows that
don't change their student stay with the first one. So every row of the file is in one report.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Max

from rollbook.db.json_keys import IN_JSON_INTEGERS, IN_JSON_TEXTS, as_json_parameter
from rollbook.districts.local_dates import local_date
from rollbook.students import touched
from rollbook.updates import transitions
from rollbook.updates.checking import staged_groups
from rollbook.updates.models import StudentFile, UpdateJob
from rollbook.updates.planning import judge, limit_sets
from rollbook.updates.planning.limits import exceeded
from rollbook.updates.planning.summarize import summarize
from rollbook.updates.row_outcomes import FIRST_WITHOUT_LINE
from rollbook.updates.state_machine import Outcome, State

_COPIED = (
    *(field.name for field in StudentFile._meta.get_fields()),
    "mode",
    "member",
    "limits",
    "source",
    "token_key",
    "note",
    "notified",
    "started_at",
)
_OF_SCHOOLS = f"""
SELECT line, outcome FROM updates_stagedrow
WHERE update_id = %s AND (outcome IS NULL OR outcome = 'rejected')
  AND (school {IN_JSON_TEXTS} OR to_school {IN_JSON_TEXTS})"""

_DEPENDENCIES = "SELECT line, blocked_by_line FROM updates_rowdependency WHERE update_id = %s"
_OUTCOMES = f"""
SELECT line, outcome FROM updates_stagedrow
WHERE update_id = %s AND (outcome IS NULL OR outcome = 'rejected') AND line {IN_JSON_INTEGERS}"""

_STUDENTS = f"""
SELECT DISTINCT student_id FROM updates_stagedrow
WHERE update_id = %s AND student_id IS NOT NULL AND line {IN_JSON_INTEGERS}"""

_MOVE = "UPDATE {table} SET update_id = %s WHERE update_id = %s AND line {condition}"
_TABLES = ("updates_stagedrow", "updates_problem", "updates_rowdependency")


def split(update: UpdateJob, schools: Collection[str], now: datetime) -> UpdateJob:
    """Move the rows of these schools to a new update that is held.

    The caller has locked the district and holds the update, which is still being checked, and
    commits both together.

    Args:
        update: The update.
        schools: SCHOOL_IDs of the schools.
        now: The present time.
    """
    lines = _lines(update, schools)
    of_file = {line: each for line, each in lines.items() if line < FIRST_WITHOUT_LINE}
    outcomes = Counter(of_file.values())
    held = _create(update, len(of_file), now)
    moved = _students(update, lines)
    touched.touch(moved)
    with connection.cursor() as cursor:
        for table in _TABLES:
            statement = _MOVE.format(table=table, condition=IN_JSON_INTEGERS)
            cursor.execute(statement, [held.pk, update.pk, as_json_parameter(list(lines))])
    staged_groups.forget(update, lines)
    rejected, staged = outcomes[Outcome.REJECTED.value], outcomes[None]
    codes = Counter(held.problem_set.values_list("code", flat=True))
    UpdateJob.objects.filter(pk=held.pk).update(
        rows_rejected=rejected, rows_staged=staged, problem_counts=dict(codes)
    )
    UpdateJob.objects.filter(pk=update.pk).update(
        rows=update.rows - len(of_file),
        rows_read=update.rows_read - len(of_file),
        rows_rejected=update.rows_rejected - rejected,
        rows_staged=update.rows_staged - staged,
        problem_counts=dict(Counter(update.problem_counts) - codes),
    )
    held.refresh_from_db()
    transitions.transition(held.pk, State.HELD, **_plan(held, now))
    return held


def _lines(update: UpdateJob, schools: Collection[str]) -> Mapping[int, str | None]:
    """Return the lines that move, with their outcomes: also of rows that depend on such a row."""
    names = as_json_parameter(schools)
    with connection.cursor() as cursor:
        cursor.execute(_OF_SCHOOLS, [update.pk, names, names])
        lines: dict[int, str | None] = dict(cursor.fetchall())
        cursor.execute(_DEPENDENCIES, [update.pk])
        dependencies = cursor.fetchall()
        while more := {line for line, blocker in dependencies if blocker in lines} - lines.keys():
            cursor.execute(_OUTCOMES, [update.pk, as_json_parameter(more)])
            found = dict(cursor.fetchall())
            lines |= found
            dependencies = [each for each in dependencies if each[0] not in more - found.keys()]
    return lines


def _students(update: UpdateJob, lines: Collection[int]) -> set[int]:
    """Return the students of these rows: their records aren't known, as they aren't applied."""
    with connection.cursor() as cursor:
        cursor.execute(_STUDENTS, [update.pk, as_json_parameter(list(lines))])
        return {student for (student,) in cursor.fetchall()}


def _create(update: UpdateJob, rows: int, now: datetime) -> UpdateJob:
    columns: dict[str, Any] = {name: getattr(update, name) for name in _COPIED}
    numbers = UpdateJob.objects.filter(district=update.district_id)
    highest = numbers.aggregate(highest=Max("number"))["highest"]
    columns |= {"rows": rows, "rows_read": rows}
    return UpdateJob.objects.create(
        district=update.district,
        number=highest + 1,
        state=State.RECEIVED,
        received_at=update.received_at,
        split_from=update,
        progressed_at=now,
        **columns,
    )


def _plan(held: UpdateJob, now: datetime) -> dict[str, Any]:
    """Return the columns of the plan of the new update."""
    current = limit_sets.find_current(held.district_id)
    limits, _ = current.document.limits_on(local_date(held.district, now))
    summary = summarize(held)
    columns = judge.plan_columns(current, summary, limits, exceeded(summary, limits))
    return columns | judge.waiting_columns(current, now)
