"""Leave out the rows of schools that were not approved, before the others are applied.

A row is left out if its student is at such a school, or would go to one; and so are rows that
claim a key which such a row would have released.
"""

from collections.abc import Iterator, Sequence

from django.db import connection, transaction
from django.db.models import F

from rollbook.db.json_keys import IN_JSON_INTEGERS, IN_JSON_TEXTS, as_json_parameter
from rollbook.updates import transitions
from rollbook.updates.models import RowDependency, UpdateJob
from rollbook.updates.row_outcomes import FIRST_WITHOUT_LINE
from rollbook.updates.state_machine import Outcome, State

ROWS_PER_STEP = 2000

_OF_SCHOOLS = f"""
SELECT line FROM updates_stagedrow
WHERE update_id = %s AND outcome IS NULL
  AND (school {IN_JSON_TEXTS} OR to_school {IN_JSON_TEXTS})
ORDER BY line"""

_DEPENDENT = """
SELECT DISTINCT staged.line
FROM updates_rowdependency dependency
JOIN updates_stagedrow blocker ON blocker.update_id = dependency.update_id
  AND blocker.line = dependency.blocked_by_line AND blocker.outcome = 'left_out'
JOIN updates_stagedrow staged ON staged.update_id = dependency.update_id
  AND staged.line = dependency.line AND staged.outcome IS NULL
WHERE dependency.update_id = %s
ORDER BY staged.line"""

_LEAVE_OUT = f"""
UPDATE updates_stagedrow SET outcome = '{Outcome.LEFT_OUT}'
WHERE update_id = %s AND outcome IS NULL AND line {IN_JSON_INTEGERS}"""


def steps(update: UpdateJob, run: str) -> Iterator[None]:
    """Leave out rows, one transaction per step; without an approved plan there are none.

    Raises:
        Fenced: Another run has taken over the update, or it was canceled.
    """
    if update.planned_at is None:
        return
    if update.left_out_schools:
        schools = as_json_parameter(update.left_out_schools)
        yield from _leave_out(update, run, _lines(_OF_SCHOOLS, update.pk, schools, schools))
        while lines := _lines(_DEPENDENT, update.pk):
            yield from _leave_out(update, run, lines)
    with transaction.atomic():
        transitions.record_progress(update.pk, State.APPLYING, run)
        RowDependency.objects.filter(update=update).delete()
    yield


def _lines(query: str, *parameters: int | str) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return [line for (line,) in cursor.fetchall()]


def _leave_out(update: UpdateJob, run: str, lines: Sequence[int]) -> Iterator[None]:
    for start in range(0, len(lines), ROWS_PER_STEP):
        batch = lines[start : start + ROWS_PER_STEP]
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_LEAVE_OUT, [update.pk, as_json_parameter(batch)])
            of_file = sum(line < FIRST_WITHOUT_LINE for line in batch)
            transitions.record_progress(
                update.pk,
                State.APPLYING,
                run,
                rows_left_out=F("rows_left_out") + of_file,
                rows_staged=F("rows_staged") - of_file,
            )
        yield
