"""Notify the managers of each district in which something is lost with a key."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from django.db.models import Count, QuerySet

from rollbook.accounts import district_keys, key_ring, notices
from rollbook.accounts.auth import second_factor
from rollbook.accounts.district_keys import KeyPurpose
from rollbook.accounts.models import KeyFingerprint, KeyState, RecoveryCode
from rollbook.accounts.notices import Notice
from rollbook.districts.models import District
from rollbook.students import passwords
from rollbook.students.models import Student
from rollbook.text import count_of
from rollbook.updates.models import Draft, UpdateJob

_Consequences = Iterator[tuple[int, str]]
"""The ID of a district, and what is lost there, as a part of a sentence."""


def notify_managers(row: KeyFingerprint, now: datetime) -> None:
    """Queue the emails, in the caller's transaction and before anything is reset.

    There are none about keys without which nobody has to do anything: everyone just signs in
    again, or the next file takes longer.

    Args:
        row: The version of the key that is lost.
        now: The current time.
    """
    find = _CONSEQUENCES.get(row.name)
    if find is None or row.state == KeyState.STAGED:
        return
    parts: defaultdict[int, list[str]] = defaultdict(list)
    for district_id, part in find(row):
        parts[district_id].append(part)
    for district in District.objects.filter(pk__in=parts).order_by("pk"):
        detail = "; ".join(parts[district.pk])
        notices.notify_managers(Notice.KEY_LOST, now, district, detail=detail)


def _of_logins(row: KeyFingerprint) -> _Consequences:
    factors = second_factor.encrypted_with(row.version)
    for district_id, count in _by_district(factors, "member__district"):
        members = count_of(count, "staff member")
        yield (
            district_id,
            f"{members} must set up two-step verification again, and until then sign in with the "
            "password alone",
        )
    codes = RecoveryCode.objects.filter(key_version=row.version)
    others = codes.exclude(second_factor__in=factors)
    counts = _by_district(others, "second_factor__member__district", "second_factor")
    for district_id, count in counts:
        yield district_id, f"{count_of(count, 'staff member')} must create new recovery codes"


def _of_passwords(row: KeyFingerprint) -> _Consequences:
    students = Student.objects.filter(passwords.with_key(row.name, row.version))
    for district_id, count in _by_district(students, "district"):
        lost = count_of(count, "student password")
        yield (
            district_id,
            f"{lost} can no longer be used; the next file with the column PASSWORD sets them again",
        )


def _of_district_keys(row: KeyFingerprint) -> _Consequences:
    keys = district_keys.wrapped_with(row.version).filter(purpose=KeyPurpose.FILES.value)
    districts = list(keys.values_list("district", flat=True))
    stored = UpdateJob.objects.filter(district__in=districts, file_removed_at=None)
    for district_id, count in _by_district(stored, "district"):
        lost = count_of(count, "uploaded file")
        yield district_id, f"{lost} can no longer be read; updates that hadn't ended fail"
    drafts = Draft.objects.filter(district__in=districts, update=None)
    for district_id, count in _by_district(drafts, "district"):
        chosen = count_of(count, "file")
        yield district_id, f"{chosen} not applied yet must be chosen again"


_CONSEQUENCES: Mapping[str, Callable[[KeyFingerprint], _Consequences]] = {
    key_ring.LOGINS: _of_logins,
    key_ring.STUDENT_PASSWORDS: _of_passwords,
    key_ring.DISTRICT_KEYS: _of_district_keys,
}


def _by_district(
    rows: QuerySet[Any], district: str, counted: str = "pk"
) -> Iterator[tuple[int, int]]:
    """Return each district with the number of its rows, or of different values of a column."""
    counts = rows.values_list(district).annotate(count=Count(counted, distinct=True))
    yield from counts.order_by(district)
