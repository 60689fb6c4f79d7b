"""The schools of a district: added, renamed, closed, or loaded out of a small file that is right as a whole."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from django.db import IntegrityError, transaction
from django.db.models import Count, Q
from django.db.models.deletion import ProtectedError

from rollbook.districts.models import District, School
from rollbook.studentfile import small_csv
from rollbook.studentfile.columns import BY_NAME
from rollbook.studentfile.problems.problem import PROBLEM_CODES, printable_excerpt
from rollbook.studentfile.values.text_checks import InvalidValue, ValueWithWarning
from rollbook.students.models import DEFAULT_GROUP, Group
from rollbook.validation import ValidationFailed

MAX_NAME_LENGTH = 200
COLUMNS = ("SCHOOL_ID", "NAME")


class InvalidSchool(ValidationFailed):
    """This cannot be a school, or be done with one."""


@dataclass
class SchoolFile:
    """What a file of schools says: organization ID to name; and all that is wrong with it, as line and sentence."""

    names: dict[str, str] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    problems: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True)
class SchoolImportResult:
    """How many schools were added, renamed and left as they are, and how many there are now."""

    added: int
    renamed: int
    unchanged: int
    total: int

    def __str__(self) -> str:
        return f"{self.added:,} added, {self.renamed:,} renamed, {self.unchanged:,} unchanged"


def read(data: bytes) -> SchoolFile:
    """What the file says. Raises TableRefused."""
    table = small_csv.read(data, COLUMNS)
    schools = SchoolFile(problems=table.problems)
    for line, cells in table.rows:
        _take(schools, line, cells["SCHOOL_ID"], cells["NAME"])
    schools.problems.sort()
    return schools


def load(district: District, names: Mapping[str, str]) -> SchoolImportResult:
    """Add and rename schools: organization ID to name."""
    with transaction.atomic():
        there = {
            school.organization_id: school for school in School.objects.filter(district=district)
        }
        added = [
            School(district=district, organization_id=key, name=name)
            for key, name in names.items()
            if key not in there
        ]
        renamed = [
            there[key] for key, name in names.items() if key in there and there[key].name != name
        ]
        for school in renamed:
            school.name = names[school.organization_id]
        School.objects.bulk_create(added)
        School.objects.bulk_update(renamed, ["name"], batch_size=500)
        every = School.objects.filter(district=district)
        Group.objects.bulk_create(
            (_default_group(school) for school in every), ignore_conflicts=True
        )
        return SchoolImportResult(
            len(added), len(renamed), len(names) - len(added) - len(renamed), len(every)
        )


def schools_of(district: District) -> list[School]:
    """Every school, by name; each has ``active`` and ``inactive``, how many of its students are so."""
    counted = {
        status: Count("student", filter=Q(student__status=status))
        for status in ("active", "inactive")
    }
    schools = School.objects.filter(district=district).annotate(**counted)
    return sorted(schools, key=by_name)


def by_name(school: School) -> tuple[str, str]:
    """The key by which schools are sorted as people look for them."""
    return school.name.casefold(), school.organization_id


def find(district: District, key: int) -> School | None:
    """The school of this key, if it is one of this district."""
    return School.objects.filter(district=district, pk=key).first()


def add(district: District, key: str, name: str) -> School:
    """A new school with its Default group. Raises SchoolRefused with every reason."""
    reasons = [*_problems_of_key(key.strip(), {}), *_problems_of_name(name.strip())]
    if reasons:
        raise InvalidSchool(reasons)
    try:
        with transaction.atomic():
            school = School.objects.create(
                district=district, organization_id=key.strip(), name=" ".join(name.split())
            )
            _default_group(school).save()
    except IntegrityError:
        raise InvalidSchool(
            [f"there is a school {key.strip()} already; give it another organization ID"]
        ) from None
    return school


def rename(school: School, name: str) -> School:
    """The school is called so from now on. Raises SchoolRefused."""
    reasons = list(_problems_of_name(name.strip()))
    if reasons:
        raise InvalidSchool(reasons)
    school.name = " ".join(name.split())
    with transaction.atomic():
        school.save(update_fields=["name"])
    return school


def close(school: School) -> None:
    """There is no such school any more; its groups end with it. Raises SchoolRefused while it has students."""
    try:
        with transaction.atomic():
            students = school.student_set.count()
            if students:
                here = "1 student is" if students == 1 else f"{students:,} students are"
                raise InvalidSchool(
                    [
                        f"{here} at {school.name}, inactive ones too; move them to another school first"
                    ]
                )
            Group.objects.filter(school=school).delete()
            school.delete()
    except (ProtectedError, IntegrityError):
        raise InvalidSchool(
            [f"students have just come to {school.name}; move them to another school first"]
        ) from None


def _default_group(school: School) -> Group:
    return Group(school=school, name=DEFAULT_GROUP, name_key=DEFAULT_GROUP.casefold())


def _take(schools: SchoolFile, line: int, key: str, name: str) -> None:
    problems = [*_problems_of_key(key, schools.lines), *_problems_of_name(name)]
    schools.problems += [(line, problem) for problem in problems]
    schools.lines.setdefault(key, line)
    if not problems:
        schools.names[key] = " ".join(name.split())


def _problems_of_key(key: str, lines: Mapping[str, int]) -> Iterator[str]:
    if not key:
        yield "there is no SCHOOL_ID; write the school's organization ID"
        return
    answer = BY_NAME["SCHOOL_ID"].rule(key)
    if isinstance(answer, InvalidValue):
        kind = PROBLEM_CODES[answer.code]
        yield f"SCHOOL_ID '{printable_excerpt(key)}': {kind.title}; {answer.hint or kind.repair}"
    elif (answer.value if isinstance(answer, ValueWithWarning) else answer) != key:
        yield f"SCHOOL_ID '{printable_excerpt(key)}' must be written {answer}; correct it"
    if key in lines:
        yield f"SCHOOL_ID {printable_excerpt(key)} stands in line {lines[key]:,} already; keep one of them"


def _problems_of_name(name: str) -> Iterator[str]:
    if not name:
        yield "there is no NAME; write the school's name"
    elif len(name) > MAX_NAME_LENGTH or not name.isprintable():
        yield f"the NAME is longer than {MAX_NAME_LENGTH} characters or not on one line; shorten it"
