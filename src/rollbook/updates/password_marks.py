"""The mark keys of districts: by them, passwords in nightly files are recognized as unchanged.

A mark key exists only while a district sends passwords. When it is destroyed, what was computed
with it can no longer be used to test passwords quickly: neither the tags of stored passwords
(``students/passwords.py``) nor the fingerprints of rows (``manifest/fingerprints.py``). Why, and
what that costs: docs/decisions/0039-password-marks.md.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from rollbook.accounts import district_keys
from rollbook.accounts.district_keys import KeyPurpose
from rollbook.districts.models import District
from rollbook.studentfile.reading.header import Header
from rollbook.students import passwords
from rollbook.updates.models import ColumnMapping, UpdateJob

KEPT = timedelta(days=30)
"""How long after its last file with passwords a district has a mark key."""

TAGS_PER_STEP = 500


def key_for(district_id: int, header: Header) -> bytes | None:
    """Return the mark key of a district for a file, or None if the file has no passwords.

    Raises:
        DistrictKeyLost: It can't be decrypted.
    """
    if not _has_passwords(header):
        return None
    return district_keys.get_or_create(district_id, KeyPurpose.PASSWORD_MARKS).secret


def destroy_unused(now: datetime) -> int:
    """Destroy the mark keys that aren't needed; return their number."""
    return sum(
        district_keys.destroy(district_id, KeyPurpose.PASSWORD_MARKS)
        for district_id in _districts()
        if not _sends_passwords(district_id, now)
    )


def seal_old_tags(now: datetime) -> int:
    """Protect some tags of older versions; return their number, 0 if none are left.

    This reads all students, so it takes seconds for a large district.
    """
    return sum(_seal_old_tags(district_id, now) for district_id in _districts())


def _seal_old_tags(district_id: int, now: datetime) -> int:
    secret = None
    if _sends_passwords(district_id, now):
        secret = district_keys.get_or_create(district_id, KeyPurpose.PASSWORD_MARKS).secret
    return passwords.seal_tags(district_id, secret, TAGS_PER_STEP)


def _districts() -> Iterable[int]:
    return District.objects.filter(deleting_at=None).values_list("pk", flat=True)


def _sends_passwords(district_id: int, now: datetime) -> bool:
    """Return whether one of the district's latest files had passwords, or a waiting one has."""
    recent = UpdateJob.objects.filter(district=district_id, received_at__gt=now - KEPT)
    files = {(tuple(names), pk) for names, pk in recent.values_list("header", "mapping")}
    mappings = ColumnMapping.objects.in_bulk({pk for _, pk in files if pk})
    documents = {pk: stored.mapping for pk, stored in mappings.items()}
    headers = (Header.parse(names, documents.get(pk))[0] for names, pk in files)
    return any(map(_has_passwords, headers))


def _has_passwords(header: Header) -> bool:
    return "PASSWORD" in header.known
