"""Schools with their groups and students: add, load from a school file, list with counts, close."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import Count, Q
from django.db.models.deletion import ProtectedError

from rollbook.districts.models import District, School
from rollbook.districts.schools import (
    InvalidSchool,
    by_name,
    single_spaced,
    validate_new_school,
)
from rollbook.students.models import DEFAULT_GROUP, Group
from rollbook.text import count_of


@dataclass(frozen=True)
class SchoolImportResult:
    """How many schools were added, renamed and left unchanged, and how many there are in total."""

    added: int
    renamed: int
    unchanged: int
    total: int

    def __str__(self) -> str:
        return f"{self.added:,} added, {self.renamed:,} renamed, {self.unchanged:,} unchanged"


def add_school(district: District, organization_id: str, name: str) -> School:
    """Add a school with its Default group.

    Raises:
        InvalidSchool: The School ID or the name can't be used, or the School ID is in use.
    """
    organization_id = organization_id.strip()
    validate_new_school(organization_id, name.strip())
    try:
        with transaction.atomic():
            school = School.objects.create(
                district=district, organization_id=organization_id, name=single_spaced(name)
            )
            _default_group(school).save()
    except IntegrityError:
        raise InvalidSchool(
            [f"School ID {organization_id} is already in use; choose another one"]
        ) from None
    return school


def load_schools(district: District, names: Mapping[str, str]) -> SchoolImportResult:
    """Add and rename schools, and give each school of the district its Default group.

    Args:
        district: The district of the schools.
        names: School ID to name, as in ``SchoolFile.names``.
    """
    with transaction.atomic():
        schools = School.objects.filter(district=district)
        existing = {school.organization_id: school for school in schools}
        added, renamed = [], []
        for organization_id, name in names.items():
            school = existing.get(organization_id)
            if school is None:
                added.append(School(district=district, organization_id=organization_id, name=name))
            elif school.name != name:
                school.name = name
                renamed.append(school)
        School.objects.bulk_create(added)
        School.objects.bulk_update(renamed, ["name"], batch_size=500)
        default_groups = [_default_group(school) for school in schools.all()]
        Group.objects.bulk_create(default_groups, ignore_conflicts=True)
        unchanged = len(names) - len(added) - len(renamed)
        return SchoolImportResult(len(added), len(renamed), unchanged, len(default_groups))


def list_schools(district: District) -> list[School]:
    """Return the district's schools by name.

    Each has two more attributes, ``active`` and ``inactive``: the number of its students with this
    status.
    """
    counts = {
        status: Count("student", filter=Q(student__status=status))
        for status in ("active", "inactive")
    }
    schools = School.objects.filter(district=district).annotate(**counts)
    return sorted(schools, key=by_name)


def close_school(school: School) -> None:
    """Delete a school without students, and its groups.

    Raises:
        InvalidSchool: The school has students.
    """
    try:
        with transaction.atomic():
            students = school.student_set.count()
            if students:
                raise InvalidSchool(
                    [
                        f"{school.name} has {count_of(students, 'student')}, active or inactive; "
                        "move them to another school first"
                    ]
                )
            Group.objects.filter(school=school).delete()
            school.delete()
    except (ProtectedError, IntegrityError):
        raise InvalidSchool(
            [f"students were just added to {school.name}; move them to another school first"]
        ) from None


def _default_group(school: School) -> Group:
    return Group(school=school, name=DEFAULT_GROUP, name_key=DEFAULT_GROUP.casefold())
