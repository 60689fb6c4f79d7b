"""Show what the last completed file would have done in full sync, before it is turned on."""

from dataclasses import dataclass

from rollbook.districts.models import District, School
from rollbook.updates.absences import roster
from rollbook.updates.absences.figures import MIN_NAMED_PERCENT
from rollbook.updates.absences.id_set import IdSet
from rollbook.updates.manifest import manifest, ranges
from rollbook.updates.models import Manifest, UpdateJob


@dataclass(frozen=True)
class SchoolPreview:
    """What a file says about a school.

    Attributes:
        title: The name and SCHOOL_ID of the school.
        active: Its active students.
        unnamed: Those of them whom the file doesn't name.
        has_rows: Whether the file names any student of the school.
    """

    title: str
    active: int
    unnamed: int
    has_rows: bool


@dataclass(frozen=True)
class Preview:
    """What the last completed file would have done.

    Attributes:
        update: Its update.
        active: The active students of the district now.
        unnamed: Those of them whom the file doesn't name.
        missing: Those of these who would have been counted as missing.
        schools: The schools with students whom the file doesn't name.
    """

    update: UpdateJob
    active: int
    unnamed: int
    missing: int
    schools: tuple[SchoolPreview, ...]

    @property
    def is_complete(self) -> bool:
        """Whether the file names enough students to count anybody."""
        return 100 * (self.active - self.unnamed) >= MIN_NAMED_PERCENT * self.active


def of_last_file(district: District) -> Preview | None:
    """Return what the last completed file would have done; None if it isn't known.

    The students of its rows are those of the manifest. Rejected rows that match nobody aren't read
    again, so a few more students may seem to be missing than would be counted.
    """
    stored = Manifest.objects.filter(district=district).select_related("update").first()
    if stored is None or manifest.is_damaged(stored.update):
        return None
    students = roster.load(district.pk)
    seen = IdSet(students.students.values())
    seen.add(ranges.students_of(stored.update))
    titles = {school.organization_id: school.title for school in _schools(district)}
    schools = []
    for school, keys in sorted(students.students.items()):
        inactive = set(students.inactive.get(school, ()))
        unseen = list(seen.missing_from(keys))
        unnamed = sum(student not in inactive for student in unseen)
        if unnamed:
            has_rows = len(unseen) < len(keys)
            active = len(keys) - len(inactive)
            schools.append(SchoolPreview(titles[school], active, unnamed, has_rows))
    unnamed = sum(each.unnamed for each in schools)
    missing = sum(each.unnamed for each in schools if each.has_rows)
    found = Preview(stored.update, students.active, unnamed, missing, tuple(schools))
    if found.is_complete:
        return found
    return Preview(stored.update, students.active, unnamed, 0, tuple(schools))


def _schools(district: District) -> list[School]:
    return list(School.objects.filter(district=district))
