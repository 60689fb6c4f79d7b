"""Take over what was found out about the last file, if it is sent again and nothing has changed."""

from django.db import connection, transaction

from rollbook.secret_keys import fingerprint as key_id
from rollbook.updates import transitions
from rollbook.updates.manifest import student_arrays
from rollbook.updates.manifest.walk import Walk
from rollbook.updates.models import UpdateJob
from rollbook.updates.state_machine import State

_SAME = (
    "end_byte, end_line, first_line, student_ids, id_bytes, line_numbers, fingerprints, checksum"
)
_COPY = f"""
INSERT INTO updates_checkedrange (update_id, matched_rows, {_SAME})
SELECT %s, length(student_ids) / id_bytes, {_SAME} FROM updates_checkedrange WHERE update_id = %s"""


def take_over(update: UpdateJob, run: str, key: bytes, known: Walk) -> bool:
    """Take over the ranges of the same file, if all of its rows are known and none is repeated.

    Args:
        update: The update, whose ``same_as`` is set.
        run: The ID of the run that holds the update.
        key: The key of its fingerprints.
        known: The records that are known.

    Raises:
        Fenced: Another run has taken over the update, or it was canceled.
    """
    if update.rows_read or not known.students:
        return False
    same = UpdateJob.objects.filter(
        manifest__district=update.district_id,
        manifest__key=key_id(key),
        spool_digest=update.spool_digest,
        detected_encoding=update.detected_encoding,
    )
    last = same.only("problem_counts", "shape").first()
    if last is None or "duplicate_row" in last.problem_counts:
        return False
    if next(student_arrays.zeros(known.students), None) is not None:
        return False
    rows = update.rows
    with transaction.atomic(), connection.cursor() as cursor:
        transitions.record_progress(
            update.pk, State.CHECKING, run, rows_read=rows, rows_unchanged=rows
        )
        cursor.execute(_COPY, [update.pk, last.pk])
    update.same_as = last
    return True
