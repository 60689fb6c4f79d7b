"""The tables of the export about students; their passwords are never read."""

from collections.abc import Iterator

from rollbook.districts.models import District
from rollbook.operations.lifecycle.export.table import Row, Table, timestamp
from rollbook.studentfile.columns import COLUMNS
from rollbook.students import snapshots
from rollbook.students.models import Absence, Change, Student

STUDENTS_PER_QUERY = 1000
CHANGES_PER_QUERY = 2000

_COLUMNS = [column.name for column in COLUMNS if not column.secret]
_KEY = ("student", "the key of the student in the table students")


def _pages(district: District) -> Iterator[list[int]]:
    """Yield the primary keys of a district's students, in pages."""
    students = Student.objects.filter(district=district).order_by("pk")
    last = 0
    while page := list(
        students.filter(pk__gt=last).values_list("pk", flat=True)[:STUDENTS_PER_QUERY]
    ):
        yield page
        last = page[-1]


def _students(district: District) -> Iterator[Row]:
    for page in _pages(district):
        students = snapshots.load_with_links(page)
        for key in page:
            values = students[key].values
            yield [key, *(values[name] for name in _COLUMNS)]


def _student_groups(district: District) -> Iterator[Row]:
    through = Student.groups.through.objects
    for page in _pages(district):
        links = through.filter(student__in=page).order_by("student", "group__name_key")
        yield from links.values_list("student", "group__school__organization_id", "group__name")


def _student_staff(district: District) -> Iterator[Row]:
    through = Student.staff.through.objects
    for page in _pages(district):
        links = through.filter(student__in=page).order_by("student", "member__email")
        yield from links.values_list("student", "member__email")


def _history(district: District) -> Iterator[Row]:
    columns = ("student", "field", "old", "new", "changed_at", "update__number", "member__email")
    for page in _pages(district):
        changes = Change.objects.filter(student__in=page).order_by("student", "changed_at", "pk")
        for *values, at, update, member in changes.values_list(*columns).iterator(
            CHANGES_PER_QUERY
        ):
            yield [*values, timestamp(at), update, member]


def _absences(district: District) -> Iterator[Row]:
    columns = ("student", "since", "files", "last_update__number", "deactivated_at")
    found = Absence.objects.filter(district=district).order_by("student")
    for student, since, *counts, at in found.values_list(*columns).iterator(CHANGES_PER_QUERY):
        yield [student, since.isoformat(), *counts, timestamp(at)]


STUDENT_TABLES: tuple[Table, ...] = (
    Table(
        "students",
        "The students, with confidential information, without passwords.",
        (
            ("key", "internal number"),
            *((name, "as in a student file; dates as yyyy-mm-dd") for name in _COLUMNS),
        ),
        _students,
    ),
    Table(
        "student_groups",
        "Which students are in which groups.",
        (_KEY, ("school_id", "the School ID of the group"), ("group", "name of the group")),
        _student_groups,
    ),
    Table(
        "student_staff",
        "Which students are linked with which staff members.",
        (_KEY, ("email", "the staff member")),
        _student_staff,
    ),
    Table(
        "history",
        "Every change of every student since the student was added.",
        (
            _KEY,
            ("field", "the column; STUDENT where the student was added"),
            ("old", "the old value; never that of a password"),
            ("new", "the new value; never that of a password"),
            ("at", "when"),
            ("update", "number of the update that changed it"),
            ("member", "the staff member who changed it"),
        ),
        _history,
    ),
    Table(
        "absences",
        "Students whom the files in full sync don't name.",
        (
            _KEY,
            ("since", "the day of the first such file"),
            ("files", "such files, at most one a day"),
            ("update", "number of the update that counted last"),
            ("deactivated_at", "when the student was deactivated; none: still active"),
        ),
        _absences,
    ),
)
