"""Take over what was found out about the last file, if it is sent again and nothing has changed.

This only saves time. If anything differs, the file is checked as any other.
"""

from django.db import connection, transaction

from rollbook.secret_keys import fingerprint as key_id
from rollbook.updates import transitions
from rollbook.updates.manifest import student_arrays
from rollbook.updates.manifest.walk import Walk
from rollbook.updates.models import CheckedRange, UpdateJob
from rollbook.updates.state_machine import State

_COLUMNS = (
    "end_byte, end_line, first_line, student_ids, id_bytes, line_numbers, fingerprints, checksum"
)
_COPY = f"""
INSERT INTO updates_checkedrange (update_id, matched_rows, {_COLUMNS})
SELECT %s, length(student_ids) / id_bytes, {_COLUMNS}
FROM updates_checkedrange WHERE update_id = %s"""


def take_over(update: UpdateJob, run: str, key: bytes, known: Walk) -> bool:
    """Take over the ranges of the last file in one transaction, if all rows are known from it.

    Args:
        update: The update.
        run: The ID of the run that holds the update.
        key: The key of its fingerprints.
        known: The records that are known.

    Returns:
        Whether the rows of the update are checked by this.

    Raises:
        Fenced: Another run has taken over the update, or it was canceled.
    """
    last = UpdateJob.objects.filter(
        manifest__district=update.district_id,
        manifest__key=key_id(key),
        spool_digest=update.spool_digest,
        detected_encoding=update.detected_encoding,
    )
    is_all_known = known.students and next(student_arrays.zeros(known.students), None) is None
    if update.rows_read or not is_all_known or not last.exists():
        return False
    rows = update.rows
    with transaction.atomic(), connection.cursor() as cursor:
        transitions.record_progress(
            update.pk, State.CHECKING, run, rows_read=rows, rows_unchanged=rows
        )
        cursor.execute(_COPY, [update.pk, last.get().pk])
    return True


def find(update: UpdateJob) -> UpdateJob | None:
    """Return the update of the district's manifest if all is the same: records and students.

    Of both files, each row is about another student, and of this one, no row changes anything.
    """
    update.refresh_from_db(fields=["rows_unchanged"])
    if update.rows_unchanged < update.rows:
        return None
    last = UpdateJob.objects.filter(manifest__district=update.district_id, rows_rejected=0).first()
    if last is None or "duplicate_row" in last.problem_counts:
        return None
    return last if _checksums(last) == _checksums(update) else None


def _checksums(update: UpdateJob) -> list[bytes]:
    """Return the checksum of each range, which is that of its fingerprints and students."""
    checked = CheckedRange.objects.filter(update=update).order_by("end_line")
    return list(map(bytes, checked.values_list("checksum", flat=True)))
