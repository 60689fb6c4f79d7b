"""Students as people write them down: judged by the rules of the student file, and kept with who did it.

What a form says of a column is the text that a cell of a file would have, with one difference: a form shows what there
is, so a field left as it was changes nothing, and one that was emptied is emptied.
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
from rollbook.students import passwords, snapshots, writer
from rollbook.students.diff import diff
from rollbook.students.name_keys import name_and_dob
from rollbook.students.snapshots import StudentSnapshot
from rollbook.students.usernames import Usernames
from rollbook.students.writer import ChangeAuthor, NewStudent, StudentChange

_TAKEN = {"STUDENT_ID": "student_id_taken", "USERNAME": "username_taken", "LAST_NAME": "name_taken"}
_NO_LINE = 0


class InvalidStudent(Exception):
    """A student cannot be so; ``problems`` say why, each with its column if it is one column's."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = tuple(problems)


@dataclass(frozen=True)
class AddResult:
    """A new student, with the username and the password in plain text: nobody can read that one again."""

    pk: int
    username: str
    password: str
    warnings: tuple[Problem, ...]


@dataclass(frozen=True)
class EditResult:
    """The columns that have another value now, and what is odd about it."""

    columns: tuple[str, ...]
    warnings: tuple[Problem, ...]


def form_values(record: StudentSnapshot) -> dict[str, str]:
    """What a form about this student begins with: column to text, lists joined by &; a password is never shown."""
    return {name: BY_NAME[name].format(value) for name, value in record.values.items()} | {
        "PASSWORD": ""
    }


def add(district_id: int, said: Mapping[str, str], author: ChangeAuthor, today: date) -> AddResult:
    """A new student; username and password are made where none is given. Raises StudentRefused with every problem."""
    checked = _checked({name: text for name, text in said.items() if text.strip()}, today)
    values = dict(checked.values)
    faulty = {problem.column for problem in checked.problems}
    problems = [
        *checked.problems,
        *(
            _missing(name)
            for name in REQUIRED_TO_ADD
            if not values.get(name) and name not in faulty
        ),
        *_unknown(district_id, values),
    ]
    _require(problems)
    try:
        with transaction.atomic():
            values["USERNAME"] = values.get("USERNAME") or Usernames(district_id).make(values)
            password = values.get("PASSWORD") or passwords.random_password()
            _require(_taken(district_id, values, set(_TAKEN)))
            writer.add_students(
                district_id,
                [NewStudent(values | {"PASSWORD": passwords.hash_for_import(password)})],
                author,
            )
            pk = snapshots.find_key_holders(district_id, "USERNAME", [values["USERNAME"]])[
                values["USERNAME"]
            ]
    except IntegrityError:
        raise _conflict() from None
    return AddResult(pk, values["USERNAME"], password, _warnings(problems))


def edit(
    district_id: int,
    pk: int,
    said: Mapping[str, str],
    author: ChangeAuthor,
    today: date,
    edition: int | None = None,
) -> EditResult:
    """The student is so from now on. ``edition`` is the student's when the form was shown: another one is refused.

    Raises StudentRefused with every problem, and then nothing has changed.
    """
    try:
        with transaction.atomic():
            snapshots.lock_versions([pk])
            record = snapshots.load_with_links([pk])[pk]
            if edition not in {None, record.version}:
                raise _conflict()
            revision, warnings = _revision(district_id, record, said, today)
            if revision.new:
                writer.apply_changes(district_id, [revision], author)
    except IntegrityError:
        raise _conflict() from None
    return EditResult(tuple(writer.changed_columns(revision)), warnings)


def transfer_students(
    district_id: int, pks: Collection[int], school: School, author: ChangeAuthor
) -> int:
    """Students go to this school, all of them or none: their groups and staff end, and its Default group begins.

    Returns how many were not there yet.
    """
    with transaction.atomic():
        snapshots.lock_versions(pks)
        moved = [
            StudentChange(record, diff(record, {"SCHOOL_ID": school.organization_id}))
            for record in snapshots.load_with_links(pks).values()
            if record.values["SCHOOL_ID"] != school.organization_id
        ]
        writer.apply_changes(district_id, moved, author)
    return len(moved)


def _revision(
    district_id: int, record: StudentSnapshot, said: Mapping[str, str], today: date
) -> tuple[StudentChange, tuple[Problem, ...]]:
    wanted, problems = _changed(record, said)
    keys = {name: text for name in ("STUDENT_ID", "USERNAME") if (text := record.values[name])}
    checked = _checked(keys | wanted, today)
    new = diff(record, checked.values)
    problems += [
        *checked.problems,
        *_unknown(district_id, {name: checked.values.get(name, "") for name in wanted}),
    ]
    _require(problems)
    _require(_taken(district_id, record.values | new, _keys_in(new), record.pk))
    if "PASSWORD" in new:
        new["PASSWORD"] = passwords.hash_for_import(new["PASSWORD"])
    return StudentChange(record, new), _warnings(problems)


def _changed(
    record: StudentSnapshot, said: Mapping[str, str]
) -> tuple[dict[str, str], list[Problem]]:
    """The cells of the columns that say something new, and the problems of those that cannot be emptied."""
    before, wanted, problems = form_values(record), {}, []
    for name, text in said.items():
        if text.strip() == before[name]:
            continue
        if text.strip():
            wanted[name] = text
        elif BY_NAME[name].clearable:
            wanted[name] = CLEAR
        else:
            problems.append(_missing(name))
    return wanted, problems


def _checked(cells: Mapping[str, str], today: date) -> ValidatedRow:
    header, _ = Header.parse(list(cells))
    checked = RowValidator(header, today).validate(RawRow(_NO_LINE, list(cells.values())))
    checked.problems = [
        problem for problem in checked.problems if problem.code != "no_key"
    ]  # a form needs none
    return checked


def _unknown(district_id: int, values: Mapping[str, str]) -> Iterator[Problem]:
    """What the values name that the district does not have. A file leaves unknown staff out; a person can mend it."""
    school = values.get("SCHOOL_ID")
    if school and not School.objects.filter(district=district_id, organization_id=school).exists():
        yield Problem("unknown_school", column="SCHOOL_ID", found=printable_excerpt(school))
    emails = [email for email in values.get("STAFF", "").split("&") if email]
    known = writer.member_ids_by_email(district_id, emails)
    for email in emails:
        if email not in known:
            yield Problem("unknown_staff", column="STAFF", found=printable_excerpt(email))


def _keys_in(new: Mapping[str, str]) -> set[str]:
    """Under which columns a clash can be told if these change."""
    keys = {name for name in ("STUDENT_ID", "USERNAME") if name in new}
    return keys if new.keys().isdisjoint({*writer.NAME_COLUMNS, "DOB"}) else keys | {"LAST_NAME"}


def _taken(
    district_id: int, values: Mapping[str, str], columns: set[str], pk: int | None = None
) -> Iterator[Problem]:
    """The keys among these values that another student of the district holds."""
    for column in _TAKEN:
        key = name_and_dob(values) if column == "LAST_NAME" else values.get(column)
        if column in columns and key:
            holder = snapshots.find_key_holders(district_id, column, [key]).get(key)
            if holder not in {None, pk}:
                yield Problem(_TAKEN[column], column=column)


def _missing(column: str) -> Problem:
    return Problem("required", column=column, hint="fill it in")


def _require(problems: Iterable[Problem]) -> None:
    """Raises StudentRefused if anything here is more than a remark."""
    if errors := [problem for problem in problems if not _is_warning(problem)]:
        raise InvalidStudent(errors)


def _warnings(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    return tuple(filter(_is_warning, problems))


def _is_warning(problem: Problem) -> bool:
    """That somebody is unknown is more, by hand."""
    return problem.severity is Severity.WARNING and problem.code != "unknown_staff"


def _conflict() -> InvalidStudent:
    hint = "open the page again and see how the student is now"
    return InvalidStudent([Problem("changed_meanwhile", hint=hint)])
