"""Edits by hand: validated by the rules of student files, and recorded with their author.

The text of a form field has the meaning of a cell of a student file, with one exception: a form
shows the current values, so an unchanged field changes nothing, and an empty one clears the value.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.db import IntegrityError, transaction

from rollbook.districts.models import School
from rollbook.studentfile.columns import BY_NAME, CLEAR, REQUIRED_TO_ADD
from rollbook.studentfile.problems.problem import Problem, Severity, printable_excerpt
from rollbook.studentfile.reading.header import Header
from rollbook.studentfile.reading.reader import RawRow
from rollbook.studentfile.row_validator import RowValidator, ValidatedRow
from rollbook.studentfile.values.free_text import split_list
from rollbook.students import passwords, snapshots, staff_schools, writer
from rollbook.students.diff import diff
from rollbook.students.manual import resemblance
from rollbook.students.snapshots import StudentSnapshot
from rollbook.students.usernames import Usernames
from rollbook.students.writer import ChangeAuthor, NewStudent, StudentChange

_TAKEN_CODES = {"STUDENT_ID": "student_id_taken", "USERNAME": "username_taken"}
_STAFF_CODES = frozenset({"unknown_staff", "staff_elsewhere"})
_NO_LINE = 0


class InvalidStudent(Exception):
    """A student can't be added or changed as requested.

    Attributes:
        problems: The errors, each with its column if it concerns one column.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = tuple(problems)


@dataclass(frozen=True)
class AddResult:
    """A new student.

    Attributes:
        pk: The student's ID in the database.
        username: The username.
        password: The password in plain text, which can't be read again later.
        warnings: Values that are accepted but unusual.
    """

    pk: int
    username: str
    password: str
    warnings: tuple[Problem, ...]


@dataclass(frozen=True)
class EditResult:
    """The columns that changed, and values that are accepted but unusual."""

    columns: tuple[str, ...]
    warnings: tuple[Problem, ...]


def form_values(student: StudentSnapshot) -> dict[str, str]:
    """Return the initial values of a form: column to text, without the password."""
    values = {name: BY_NAME[name].format(value) for name, value in student.values.items()}
    return values | {"PASSWORD": ""}


def invalid_cells(fields: Mapping[str, str], today: date) -> list[Problem]:
    """Return the errors of single fields, such as an invalid date; empty fields have none.

    Args:
        fields: Column to the text of the form field.
        today: The date in the district.
    """
    row = _validate({name: text for name, text in fields.items() if text.strip()}, today)
    return [problem for problem in row.problems if problem.severity is Severity.ERROR]


def add(
    district_id: int,
    fields: Mapping[str, str],
    author: ChangeAuthor,
    today: date,
    *,
    is_confirmed: bool = False,
) -> AddResult:
    """Add a student, with a generated username and password if the fields are empty.

    Args:
        district_id: The district of the student.
        fields: Column to the text of the form field.
        author: Who adds the student, and when.
        today: The date in the district.
        is_confirmed: Whether the student may resemble another one.

    Raises:
        ConfirmationRequired: The student may be enrolled already; nothing was changed.
        InvalidStudent: The student can't be added; nothing was changed.
    """
    row = _validate({name: text for name, text in fields.items() if text.strip()}, today)
    values = dict(row.values)
    problems = [
        *row.problems,
        *_missing_required(row),
        *_wrong_references(district_id, values, values.get("SCHOOL_ID")),
    ]
    _raise_errors(problems)
    try:
        with transaction.atomic():
            values["USERNAME"] = values.get("USERNAME") or Usernames(district_id).make(values)
            password = values.get("PASSWORD") or passwords.random_password()
            values["PASSWORD"] = passwords.hash_for_import(password)
            _raise_errors(_taken_keys(district_id, values, set(_TAKEN_CODES)))
            if not is_confirmed:
                resemblance.require_none(district_id, values, values.keys())
            writer.add_students(district_id, [NewStudent(values)], author)
            username = values["USERNAME"]
            pk = snapshots.find_key_holders(district_id, "USERNAME", [username])[username]
    except IntegrityError:
        raise _conflict() from None
    return AddResult(pk, username, password, _warnings(problems))


def edit(
    district_id: int,
    pk: int,
    fields: Mapping[str, str],
    author: ChangeAuthor,
    today: date,
    version: int | None = None,
    *,
    is_confirmed: bool = False,
) -> EditResult:
    """Change a student.

    Args:
        district_id: The district of the student.
        pk: The student's ID in the database.
        fields: Column to the text of the form field.
        author: Who changes the student, and when.
        today: The date in the district.
        version: The student's version when the form was shown, if it was.
        is_confirmed: Whether the student may resemble another one.

    Raises:
        ConfirmationRequired: The student would resemble another one; nothing was changed.
        InvalidStudent: The student can't be changed, or has another version now; nothing was
            changed.
    """
    try:
        with transaction.atomic():
            snapshots.lock_versions([pk])
            student = snapshots.load_with_links([pk])[pk]
            if version not in {None, student.version}:
                raise _conflict()
            change, warnings = _change(district_id, student, fields, today)
            if not is_confirmed:
                values = student.values | change.new
                resemblance.require_none(district_id, values, change.new.keys(), pk)
            if change.new:
                writer.apply_changes(district_id, [change], author)
    except IntegrityError:
        raise _conflict() from None
    return EditResult(tuple(writer.changed_columns(change)), warnings)


def transfer_students(
    district_id: int, pks: Collection[int], school: School, author: ChangeAuthor
) -> int:
    """Move students to a school; they leave their groups and staff, and join its Default group.

    Returns:
        The number of students who were at another school.
    """
    new = {"SCHOOL_ID": school.organization_id}
    with transaction.atomic():
        snapshots.lock_versions(pks)
        changes = [
            StudentChange(student, diff(student, new))
            for student in snapshots.load_with_links(pks).values()
            if student.values["SCHOOL_ID"] != school.organization_id
        ]
        writer.apply_changes(district_id, changes, author)
    return len(changes)


def _change(
    district_id: int, student: StudentSnapshot, fields: Mapping[str, str], today: date
) -> tuple[StudentChange, tuple[Problem, ...]]:
    """Return the change that a form makes, and warnings."""
    cells, problems = _changed_cells(student, fields)
    keys = {name: student.values[name] for name in ("STUDENT_ID", "USERNAME")}
    if not writer.NAME_COLUMNS.isdisjoint(cells):  # one can be missing only beside the other
        keys |= {name: student.values[name] for name in writer.NAME_COLUMNS}
    row = _validate({name: key for name, key in keys.items() if key} | cells, today)
    new = diff(student, row.values)
    changed_values = {name: row.values.get(name, "") for name in cells}
    school_id = row.values.get("SCHOOL_ID") or student.values["SCHOOL_ID"]
    problems += [*row.problems, *_wrong_references(district_id, changed_values, school_id)]
    _raise_errors(problems)
    changed_keys = set(_TAKEN_CODES) & new.keys()
    _raise_errors(_taken_keys(district_id, student.values | new, changed_keys, student.pk))
    if "PASSWORD" in new:
        new["PASSWORD"] = passwords.hash_for_import(new["PASSWORD"])
    return StudentChange(student, new), _warnings(problems)


def _changed_cells(
    student: StudentSnapshot, fields: Mapping[str, str]
) -> tuple[dict[str, str], list[Problem]]:
    """Return the cells of changed fields, and problems of fields that must not be empty."""
    before, cells, problems = form_values(student), {}, []
    for name, text in fields.items():
        if text.strip() == before[name]:
            continue
        if text.strip():
            cells[name] = text
        elif BY_NAME[name].clearable:
            cells[name] = CLEAR
        else:
            problems.append(_missing(name))
    return cells, problems


def _validate(cells: Mapping[str, str], today: date) -> ValidatedRow:
    """Validate cells as a row of a student file, which by hand needs no key."""
    header, _ = Header.parse(list(cells))
    validator = RowValidator(header, today, keep_optional=False)
    row = validator.validate(RawRow(_NO_LINE, list(cells.values())))
    row.problems = [problem for problem in row.problems if problem.code != "no_key"]
    return row


def _missing_required(row: ValidatedRow) -> Iterator[Problem]:
    """Yield a problem for each required column that is empty, unless it has another problem."""
    reported = {problem.column for problem in row.problems}
    for name in REQUIRED_TO_ADD:
        if not row.values.get(name) and name not in reported:
            yield _missing(name)


def _wrong_references(
    district_id: int, values: Mapping[str, str], school_id: str | None
) -> Iterator[Problem]:
    """Yield a problem for a school or staff that the district or the school doesn't have.

    In a file, such staff is left out with a warning; by hand it's an error.

    Args:
        district_id: The district.
        values: Column to value, of the columns to check.
        school_id: The student's school; None if it's missing or invalid.
    """
    school = values.get("SCHOOL_ID")
    if school and not School.objects.filter(district=district_id, organization_id=school).exists():
        yield Problem("unknown_school", column="SCHOOL_ID", found=printable_excerpt(school))
        school_id = None
    emails = split_list(values.get("STAFF", ""))
    known = staff_schools.load(district_id, emails)
    for email in emails:
        if email not in known:
            yield Problem("unknown_staff", column="STAFF", found=printable_excerpt(email))
        elif school_id and not known[email].works_at(school_id):
            yield Problem("staff_elsewhere", column="STAFF", found=printable_excerpt(email))


def _taken_keys(
    district_id: int, values: Mapping[str, str], columns: set[str], pk: int | None = None
) -> Iterator[Problem]:
    """Yield a problem for each unique key that another student of the district holds.

    Args:
        district_id: The district whose students are searched.
        values: Column to value of the student.
        columns: The columns to check.
        pk: The student's ID in the database, if the student exists.
    """
    for column, code in _TAKEN_CODES.items():
        key = values.get(column)
        if column in columns and key:
            holder = snapshots.find_key_holders(district_id, column, [key]).get(key)
            if holder not in {None, pk}:
                yield Problem(code, column=column)


def _missing(column: str) -> Problem:
    return Problem("required", column=column, hint="fill it in")


def _raise_errors(problems: Iterable[Problem]) -> None:
    """Raise InvalidStudent if any problem is more than a warning."""
    if errors := [problem for problem in problems if not _is_warning(problem)]:
        raise InvalidStudent(errors)


def _warnings(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    return tuple(filter(_is_warning, problems))


def _is_warning(problem: Problem) -> bool:
    """Return whether a problem is a warning; staff who can't be linked is an error by hand."""
    return problem.severity is Severity.WARNING and problem.code not in _STAFF_CODES


def _conflict() -> InvalidStudent:
    hint = "open the page again to see the student's current values"
    return InvalidStudent([Problem("changed_meanwhile", hint=hint)])
