"""Checks the districts: those that are suspended or being deleted, and the keys of all."""

from collections.abc import Iterator
from datetime import UTC, timedelta

from django.utils import timezone

from rollbook.accounts import district_keys
from rollbook.accounts.district_key import DistrictKey
from rollbook.accounts.district_keys import DistrictKeyLost
from rollbook.districts.models import District
from rollbook.doctor.installation import Installation
from rollbook.doctor.result import CheckResult, error, ok, warning
from rollbook.operations.lifecycle import destruction as engine
from rollbook.operations.models import Destruction
from rollbook.secret_keys import KeyUnusable
from rollbook.text import count_of

UNFINISHED_LONG = timedelta(minutes=10)


def check(installation: Installation) -> Iterator[CheckResult]:
    """Find what doesn't finish, and keys of districts that can't be decrypted."""
    yield from _unfinished()
    yield from _keys()


def _keys() -> Iterator[CheckResult]:
    """Decrypt each district's keys with the installation's key."""
    rows = list(DistrictKey.objects.select_related("district").order_by("district__slug", "pk"))
    lost = [problem for row in rows if (problem := _problem(row))]
    for problem in lost:
        yield error(problem, "copy the key folder `keys` of your backup back, or see docs/keys.md")
    if rows and not lost:
        yield ok(f"{count_of(len(rows), 'key')} of districts can be decrypted")


def _problem(row: DistrictKey) -> str:
    try:
        district_keys.get(row.key)
    except (DistrictKeyLost, KeyUnusable) as problem:
        return f"{row.district.slug}: {problem}"
    return ""


def _unfinished() -> Iterator[CheckResult]:
    """Find deletions of districts and erasures of students that don't finish."""
    begun_before = timezone.now() - UNFINISHED_LONG
    overdue = list(engine.unfinished().filter(started_at__lt=begun_before))
    for destruction in overdue:
        yield warning(
            f"{_subject(destruction)} has not finished since "
            f"{destruction.started_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC",
            "start a worker, which continues it, and see its log",
        )
    if not overdue:
        suspended = District.objects.exclude(suspended_at=None).filter(deleting_at=None)
        districts = count_of(District.objects.count(), "district")
        yield ok(f"{districts}, {suspended.count():,} suspended; nothing is half deleted")


def _subject(destruction: Destruction) -> str:
    if destruction.student_key is None:
        return f"deleting the district {destruction.district_slug}"
    return f"erasing a student of {destruction.district_slug}"
