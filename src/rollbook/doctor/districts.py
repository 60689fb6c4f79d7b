"""Checks the districts that are suspended or being deleted."""

from collections.abc import Iterator
from datetime import UTC, timedelta

from django.utils import timezone

from rollbook.districts.models import District
from rollbook.doctor.installation import Installation
from rollbook.doctor.result import CheckResult, ok, warning
from rollbook.operations.lifecycle import destruction as engine
from rollbook.operations.models import Destruction
from rollbook.text import count_of

UNFINISHED_LONG = timedelta(minutes=10)


def check(installation: Installation) -> Iterator[CheckResult]:
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
