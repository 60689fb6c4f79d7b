"""Remove students' data from the staged rows of updates that have ended.

Lines, outcomes and links to students stay. Of keys that the students of rejected or unprocessed
rows have in the file, keyed digests stay, by which a row is found when somebody searches for that
key, or a student is erased. An update's rows are done in small steps, in the order of the file.
Each is one transaction with the line at which the next one begins.
"""

import hmac
from collections.abc import Container, Sequence
from hashlib import sha256
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone

from rollbook.accounts import district_keys
from rollbook.accounts.district_keys import DistrictKeyLost, KeyPurpose
from rollbook.db import bulk
from rollbook.db.unindexed import Unindexed
from rollbook.secret_keys import derive_key
from rollbook.students import touched
from rollbook.updates.manifest import ranges
from rollbook.updates.models import FileLots, Manifest, StagedRow, UpdateJob
from rollbook.updates.reporting import added_students
from rollbook.updates.reporting.added_students import AddedRow
from rollbook.updates.state_machine import UNFINISHED, Outcome

ROWS_PER_STEP = 2000
DIGEST_MARK = "\x1f"
"""The beginning of digests: a control character, which no STUDENT_ID or username contains."""

_DIGEST_CHARACTERS = 32
_CLEARED = ("values_json", "claims_name_key", "claims_dob", "fingerprint", "simple_columns")
"""The columns that are cleared of all rows."""

_KEYS = ("claims_student_id", "claims_username", "claims_loose_key")
"""The columns that are cleared of rows which are linked with their student."""


class _Row(NamedTuple):
    """What is read of a staged row. Its values, which are most of it, are overwritten unread."""

    pk: int
    student: int | None
    effective_outcome: str | None
    claims_username: str | None
    line: int
    claims_student_id: str | None
    claims_name_key: str | None
    claims_dob: object
    claims_loose_key: int | None


class KeyDigests:
    """Computes the digests of a district's student IDs and usernames."""

    def __init__(self, secret: bytes) -> None:
        self._key = derive_key(secret, "keys of staged rows")

    @classmethod
    def of_district(cls, district_id: int) -> "KeyDigests | None":
        """Return the digests of a district; None if its key is lost or was never created."""
        try:
            key = district_keys.find(district_id, KeyPurpose.FILES)
        except DistrictKeyLost:
            return None
        return cls(key.secret) if key else None

    def compute(self, text: str) -> str:
        """Return the digest of a STUDENT_ID or username."""
        digest = hmac.digest(self._key, text.encode(), sha256).hex()
        return DIGEST_MARK + digest[:_DIGEST_CHARACTERS]


def remove_batch() -> int:
    """Do one step for the update that ended first; return the rows, 0 if nothing is left to do."""
    ended = UpdateJob.objects.exclude(state__in=UNFINISHED).filter(leftovers_removed_at=None)
    key = ended.order_by("ended_at").values_list("pk", flat=True).first()
    if key is None:
        return 0
    with transaction.atomic():
        locked = UpdateJob.objects.select_for_update(no_key=True).get(pk=key)
        return _remove(locked)


def _remove(update: UpdateJob) -> int:
    """Do one step, in the caller's transaction; return the number of rows, at least 1."""
    following = StagedRow.objects.filter(update=update, line__gt=update.leftovers_through_line)
    needed = following.with_outcome(update).order_by("line").values_list(*_Row._fields)
    rows = [_Row(*row) for row in needed[:ROWS_PER_STEP]]
    columns = {"leftovers_through_line": rows[-1].line if rows else update.leftovers_through_line}
    _clear_linked(update, [row for row in rows if row.student])
    _clear_others(update, [row for row in rows if not row.student])
    same = UpdateJob.objects.filter(pk=update.pk)
    if len(rows) == ROWS_PER_STEP or _fill_in_added(update) or _remove_settled(update):
        same.update(**columns)
    else:
        _clear_fingerprints(update)
        same.update(leftovers_removed_at=timezone.now(), **columns)
    return len(rows) or 1


def _clear_linked(update: UpdateJob, rows: Sequence[_Row]) -> None:
    """Clear the rows that are linked with their student."""
    if rows:
        linked = StagedRow.objects.alias(linked=Unindexed("student")).exclude(linked=None)
        own = linked.filter(update=update, line__gte=rows[0].line, line__lte=rows[-1].line)
        own.update(**dict.fromkeys((*_CLEARED, *_KEYS)) | {"values_json": ""})


def _clear_others(update: UpdateJob, rows: Sequence[_Row]) -> None:
    """Clear the other rows: link those that added a student, and keep digests of others' keys."""
    if not rows:
        return
    added = [_added_row(row) for row in rows if row.effective_outcome == Outcome.ADDED]
    students = added_students.find_keys(update, added)
    digests = KeyDigests.of_district(update.district_id)
    cleared = [
        (students.get(row.line), row.effective_outcome, *_keys(row, students, digests), row.pk)
        for row in rows
    ]
    bulk.update(StagedRow, ("student_id", "outcome", *_KEYS), cleared, _CLEARED)


def _added_row(row: _Row) -> AddedRow:
    return AddedRow(
        row.line,
        row.claims_student_id,
        row.claims_name_key,
        row.claims_dob,
        row.claims_loose_key,
    )


def _keys(
    row: _Row, students: Container[int], digests: KeyDigests | None
) -> tuple[str | None, str | None, int | None]:
    """Return what stays of a row's keys: nothing if it is linked with its student now."""
    if row.line in students:
        return None, None, None
    student_id, username = row.claims_student_id, row.claims_username
    return _digest(student_id, digests), _digest(username, digests), row.claims_loose_key


def _fill_in_added(update: UpdateJob) -> bool:
    """Keep who the next new students are with the other rows; return whether there were any.

    An update that has completed has done it. The others are no manifest, so nothing reads the
    checksums of their ranges.
    """
    return ranges.fill_in(update, key=b"")


def _remove_settled(update: UpdateJob) -> bool:
    """Remove some marks of students whom the update has settled, if its manifest is the current.

    Otherwise the next update would do it before it begins to check its rows.

    Returns:
        Whether there may be more of them.
    """
    is_current = Manifest.objects.filter(update=update).exists()
    return is_current and touched.remove_settled(update.district_id, update.pk)


def _clear_fingerprints(update: UpdateJob) -> None:
    """Remove the fingerprints of an update's records, unless the next one needs them."""
    if not Manifest.objects.filter(update=update).exists():
        stored = update.checkedrange_set.exclude(fingerprints=b"")
        stored.update(fingerprints=b"", groups_from_line=0, staged_groups="")
        FileLots.objects.filter(update=update).delete()


def _digest(text: str | None, digests: KeyDigests | None) -> str | None:
    return digests.compute(text) if text and digests else None
