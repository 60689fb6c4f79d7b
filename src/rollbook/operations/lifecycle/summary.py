"""What an operator wants to know of districts, with a fixed number of queries for all of them."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Max, QuerySet, Sum

from rollbook.accounts.models import Member
from rollbook.districts.models import District, School
from rollbook.operations.models import Destruction
from rollbook.students.models import Student
from rollbook.updates.models import Draft, UpdateJob
from rollbook.updates.state_machine import UNFINISHED

ACTIVE, SUSPENDED, BEING_DELETED = "active", "suspended", "being deleted"


@dataclass(frozen=True)
class DistrictSummary:
    """A district with its numbers.

    Attributes:
        district: The district.
        active_students: Number of active students.
        inactive_students: Number of inactive students.
        schools: Number of schools.
        staff: Number of active staff members.
        last_update: Its newest update; None if there has been none.
        unfinished_updates: Number of queued and running updates.
        stored_files: Number of uploaded files that are stored, with those of drafts.
        stored_bytes: Their size, as they were sent.
        removed: While it is being deleted, how many rows and files have been removed so far.
    """

    district: District
    active_students: int
    inactive_students: int
    schools: int
    staff: int
    last_update: UpdateJob | None
    unfinished_updates: int
    stored_files: int
    stored_bytes: int
    removed: int

    @property
    def state(self) -> str:
        """Whether it is active, suspended or being deleted."""
        if self.district.is_being_deleted:
            return BEING_DELETED
        return SUSPENDED if self.district.is_suspended else ACTIVE

    @property
    def last_ended_at(self) -> datetime | None:
        """When the newest update ended; None while it is unfinished."""
        return self.last_update.ended_at if self.last_update else None


def summarize(districts: "QuerySet[District]") -> list[DistrictSummary]:
    """Return the numbers of these districts, by short name."""
    students = _students(districts)
    schools = _counts(School.objects.filter(district__in=districts))
    staff = _counts(Member.objects.filter(district__in=districts, is_active=True))
    updates = UpdateJob.objects.filter(district__in=districts)
    unfinished = _counts(updates.filter(state__in=UNFINISHED))
    newest = _newest(updates)
    files, sizes = _stored_files(districts)
    removed = _removed(districts)
    return [
        DistrictSummary(
            district,
            students[district.pk, "active"],
            students[district.pk, "inactive"],
            schools[district.pk],
            staff[district.pk],
            newest.get(district.pk),
            unfinished[district.pk],
            files[district.pk],
            sizes[district.pk],
            removed[district.pk],
        )
        for district in districts.order_by("slug")
    ]


def _students(districts: "QuerySet[District]") -> Mapping[tuple[int, str], int]:
    rows = Student.objects.filter(district__in=districts).values_list("district", "status")
    counted = rows.annotate(count=Count("pk")).order_by()
    counts: Counter[tuple[int, str]] = Counter()
    for district_id, status, count in counted:
        counts[district_id, status] = count
    return counts


def _counts(rows: "QuerySet[Any]") -> Mapping[int, int]:
    """Return the number of rows by district."""
    counted = rows.values_list("district").annotate(count=Count("pk")).order_by()
    return Counter(dict(counted))


def _newest(updates: "QuerySet[UpdateJob]") -> Mapping[int, UpdateJob]:
    # A district's updates are numbered in the order of their primary keys.
    keys = updates.values("district").annotate(last=Max("pk")).order_by().values("last")
    return {update.district_id: update for update in UpdateJob.objects.filter(pk__in=keys)}


def _stored_files(
    districts: "QuerySet[District]",
) -> tuple[Mapping[int, int], Mapping[int, int]]:
    """Return number and bytes of the stored files by district."""
    files: Counter[int] = Counter()
    sizes: Counter[int] = Counter()
    tables: tuple[QuerySet[Any], ...] = (
        UpdateJob.objects.filter(district__in=districts, file_removed_at=None),
        Draft.objects.filter(district__in=districts, update=None),
    )
    for rows in tables:
        totals = rows.values_list("district").annotate(count=Count("pk"), size=Sum("file_size"))
        for district_id, count, size in totals.order_by():
            files[district_id] += count
            sizes[district_id] += size
    return files, sizes


def _removed(districts: "QuerySet[District]") -> Mapping[int, int]:
    unfinished = Destruction.objects.filter(
        finished_at=None, student_key=None, district_key__in=districts.values("pk")
    )
    removed: defaultdict[int, int] = defaultdict(int)
    for district_id, counts in unfinished.values_list("district_key", "counts"):
        removed[district_id] = sum(counts.values())
    return removed
