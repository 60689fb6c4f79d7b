"""List the rows of an update that changed something or were rejected, page by page.

Of rows that were simply unchanged, one is found by its line; ``unchanged_rows.py`` lists them.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from django.db import connection
from django.db.models import Q

from rollbook.pagination import Page, get_page
from rollbook.studentfile.columns import BY_NAME, CONFIDENTIAL
from rollbook.studentfile.problems.problem import Problem, Severity
from rollbook.students import recognition
from rollbook.students.models import Change, Student
from rollbook.students.name_keys import name_key
from rollbook.students.snapshots import load_groups, load_staff
from rollbook.updates.exports.changes import format_value
from rollbook.updates.leftovers import DIGEST_MARK, KeyDigests
from rollbook.updates.manifest import ranges
from rollbook.updates.models import StagedRow, UpdateJob
from rollbook.updates.problem_store import to_problem
from rollbook.updates.reporting import added_students, state_words
from rollbook.updates.reporting.plan_figures import Figure
from rollbook.updates.row_outcomes import FIRST_WITHOUT_LINE, StagedRowQuerySet
from rollbook.updates.state_machine import UNFINISHED, Outcome

MAX_NAMED_STUDENTS = 1000
MAX_LISTED_PROBLEMS = 5
"""Problems of a row that a list of rows shows; a list of the one row shows all."""

MAX_LINE_DIGITS = 9
WAITING, NOT_PROCESSED = state_words.WAITING.word, state_words.NOT_PROCESSED.word
OUTCOMES = (
    Outcome.UPDATED.value,
    Outcome.ADDED.value,
    Outcome.REJECTED.value,
    Outcome.LEFT_OUT.value,
    Outcome.DEACTIVATED.value,
    WAITING,
)
"""The outcomes to filter by; once the update has ended, waiting rows are called not processed."""

_CHANGED = (Outcome.UPDATED.value, Outcome.DEACTIVATED.value)
_KEY_COLUMNS = frozenset({"STUDENT_ID", "USERNAME"})
_HISTORY_FIELDS = ("pk", "field", "old", "new")


@dataclass(frozen=True)
class StudentRef:
    """A student with the current name; for one who isn't enrolled, ``key`` is None."""

    key: int | None
    name: str
    student_id: str


@dataclass(frozen=True)
class FieldChange:
    """A changed column with its old and new value as in a student file; passwords aren't shown."""

    column: str
    old: str
    new: str
    is_hidden: bool = False

    def without_confidential(self) -> "FieldChange":
        """Return the change without its values if its column is confidential."""
        if self.column not in CONFIDENTIAL:
            return self
        return FieldChange(self.column, "", "", is_hidden=True)


@dataclass(frozen=True)
class RowView:
    """One row of the file.

    Attributes:
        number: Its line in the file; of a student whom the file doesn't name, a larger number.
        outcome: The word for its outcome.
        student: The student it refers to, as far as known.
        changes: What it changed or, while it waits, will change.
        problems: Its errors and warnings.
        loose_key: The key of its name and date of birth, if it refers to no student; may be None.
        is_new: Whether it refers to no student who was enrolled.
    """

    number: int
    outcome: str
    student: StudentRef | None
    changes: tuple[FieldChange, ...]
    problems: tuple[Problem, ...]
    loose_key: int | None = None
    is_new: bool = False

    @property
    def is_in_file(self) -> bool:
        """Whether it is a row of the file."""
        return self.number < FIRST_WITHOUT_LINE

    @property
    def listed_problems(self) -> list[Problem]:
        """The problems that a list of rows shows, errors first."""
        by_severity = sorted(
            self.problems, key=lambda problem: problem.severity is not Severity.ERROR
        )
        return by_severity[:MAX_LISTED_PROBLEMS]

    @property
    def unlisted_count(self) -> int:
        """How many problems a list of rows doesn't show."""
        return max(0, len(self.problems) - MAX_LISTED_PROBLEMS)

    def without_confidential(self) -> "RowView":
        """Return the row without values of confidential columns."""
        changes = tuple(change.without_confidential() for change in self.changes)
        problems = tuple(problem.without_confidential() for problem in self.problems)
        return replace(self, changes=changes, problems=problems)


def rows_of(
    update: UpdateJob, outcome: str | None = None, search: str = "", page: int = 1, size: int = 50
) -> Page[RowView]:
    """Return one page of rows in file order.

    Args:
        update: The update.
        outcome: One of OUTCOMES; any other value selects all.
        search: A line number, a STUDENT_ID, a username, or words of a name. At most
            MAX_NAMED_STUDENTS rows are found by name.
        page: The number of the page, from 1.
        size: The number of rows on a page.
    """
    outcome = outcome if outcome in OUTCOMES else None
    rows = _with_selected_outcome(update, outcome)
    if search.strip():
        keys = _rows_by_key(update, search.strip())
        unchanged = None if keys or outcome else _unchanged(update, search.strip())
        if unchanged:
            return get_page(1, page, size, lambda first, last: [unchanged][first:last])
        if outcome is None:
            rows = _all_but_unchanged(update)
        matches = _matching(update, rows, keys, search.strip())
        return get_page(
            len(matches), page, size, lambda first, last: _row_views(update, matches[first:last])
        )
    total = _count(update, outcome)
    return get_page(
        total,
        page,
        size,
        lambda first, last: _row_views(update, _slice(rows, first, last, total)),
    )


def rows_of_figure(
    update: UpdateJob, figure: Figure, page: int = 1, size: int = 50
) -> Page[RowView]:
    """Return one page of the rows that a figure of the update's plan counts, in file order."""
    rows, total = figure.rows(update), figure.count(update)
    return get_page(
        total,
        page,
        size,
        lambda first, last: _row_views(update, _slice(rows, first, last, total)),
    )


def rows_with_problem(update: UpdateJob, code: str, page: int = 1, size: int = 50) -> Page[RowView]:
    """Return one page of the rows that have a problem with this code, in file order."""
    lines = update.problem_set.filter(code=code).exclude(line=None).values("line")
    rows = _all_but_unchanged(update).filter(line__in=lines).order_by("line")
    return get_page(
        rows.count(), page, size, lambda first, last: _row_views(update, list(rows[first:last]))
    )


def row_on_line(update: UpdateJob, line: int) -> Page[RowView]:
    """Return a page with the row on this line; an empty one if it is unchanged or doesn't exist."""
    rows = list(_all_but_unchanged(update).filter(line=line))
    return get_page(len(rows), 1, 1, lambda first, last: _row_views(update, rows[first:last]))


def students_shown(update: UpdateJob, rows: Iterable[RowView]) -> set[int]:
    """Return the primary keys of the enrolled students whom these rows show.

    A row without a student, a problem or a change of a key can name others than its student.
    """
    keys: set[int] = set()
    ids: set[str] = set()
    loose_keys: set[int] = set()
    texts: list[str] = []
    for row in rows:
        if row.student and row.student.key:
            keys.add(row.student.key)
        elif row.student:
            ids.add(row.student.student_id)
        if row.loose_key is not None:
            loose_keys.add(row.loose_key)
        texts += [problem.message for problem in row.problems]
        for change in row.changes:
            if change.column in _KEY_COLUMNS:
                ids.update((change.old, change.new))
    district = update.district_id
    keys |= recognition.holders(district, ids, ids) | recognition.students_named(district, texts)
    return keys | recognition.with_loose_keys(district, loose_keys)


def _with_selected_outcome(update: UpdateJob, outcome: str | None) -> StagedRowQuerySet:
    """Return the rows with this outcome; for None, all of the file but unchanged ones."""
    rows = StagedRow.objects.filter(update=update).with_outcome(update)
    if outcome is None:
        return rows.except_unchanged()
    if outcome == WAITING:
        return rows.unapplied(update)
    return rows.with_effective_outcome(Outcome(outcome), update)


def _all_but_unchanged(update: UpdateJob) -> StagedRowQuerySet:
    """Return the rows to search, also those of students whom the file doesn't name."""
    rows = StagedRow.objects.filter(update=update).with_outcome(update)
    return rows.exclude(outcome=Outcome.UNCHANGED)


def _count(update: UpdateJob, outcome: str | None) -> int:
    """Return the number of these rows from the counts of the update."""
    if outcome is None:
        of_file = (each for each in OUTCOMES if each != Outcome.DEACTIVATED)
        return sum(_count(update, each) for each in of_file)
    if outcome == WAITING:
        # Once all rows are checked, exactly those without an outcome are waiting.
        return update.not_processed if update.applying_at else update.rows_staged
    count: int = getattr(update, f"rows_{outcome}")
    return count


def _slice(rows: StagedRowQuerySet, first: int, last: int, total: int) -> list[StagedRow]:
    """Return the rows from ``first`` to ``last``, read from the nearer end.

    The database has to pass all rows before an offset.
    """
    if first <= total // 2:
        return list(rows.order_by("line")[first:last])
    return list(rows.order_by("-line")[max(0, total - last) : total - first])[::-1]


def _matching(
    update: UpdateJob, rows: StagedRowQuerySet, keys: set[int], search: str
) -> list[StagedRow]:
    """Return the rows with these primary keys; if there are none, search the names."""
    if keys:
        return sorted(rows.filter(pk__in=keys), key=lambda row: row.line)
    current_name, name_in_file = _name_contains(update, search)
    if connection.vendor == "sqlite":
        return _first_named(rows.filter(current_name | name_in_file))
    # With both conditions in one query, PostgreSQL would join all rows with all students.
    named = [*_first_named(rows.filter(current_name)), *_first_named(rows.filter(name_in_file))]
    by_line = {row.line: row for row in named}
    return [by_line[line] for line in sorted(by_line)[:MAX_NAMED_STUDENTS]]


def _first_named(rows: StagedRowQuerySet) -> list[StagedRow]:
    return list(rows.order_by("line")[:MAX_NAMED_STUDENTS])


def _unchanged(update: UpdateJob, search: str) -> RowView | None:
    """Return the unchanged row on this line, if its student is still there."""
    if not _is_line(search):
        return None
    pk = ranges.student_on_line(update, int(search)) or 0
    student = Student.objects.filter(pk=pk, district=update.district_id).first()
    if student is None:
        return None
    return views_of_unchanged(update, {int(search): student})[0]


def views_of_unchanged(update: UpdateJob, students: Mapping[int, Student]) -> list[RowView]:
    """Return the unchanged rows on these lines, which match their students, with warnings."""
    problems = _problems(update, list(students))
    outcome = Outcome.UNCHANGED.value
    return [
        RowView(line, outcome, _reference(student), (), tuple(problems[line]))
        for line, student in students.items()
    ]


def _is_line(search: str) -> bool:
    return search.isdecimal() and len(search) <= MAX_LINE_DIGITS


def _rows_by_key(update: UpdateJob, search: str) -> set[int]:
    """Return the primary keys of rows by line, or by STUDENT_ID or username of their student."""
    username = search.lower()
    students = Student.objects.filter(district=update.district_id)
    known = [*students.filter(student_id=search), *students.filter(username=username)]
    conditions = [Q(student__in=known), Q(claims_student_id=search), Q(claims_username=username)]
    if digests := KeyDigests.of_district(update.district_id):  # once the update has ended
        conditions.append(Q(claims_student_id=digests.compute(search)))
        conditions.append(Q(claims_username=digests.compute(username)))
    if _is_line(search):
        conditions.append(Q(line=int(search)))
    keys: set[int] = set()
    for condition in conditions:
        keys.update(update.stagedrow_set.filter(condition).values_list("pk", flat=True))
    return keys


def _name_contains(update: UpdateJob, search: str) -> tuple[Q, Q]:
    """Return the conditions that a student's current name, and name in the file, has all words."""
    words = [name_key(word, "").strip("\x1f") for word in search.split()]
    current_name, name_in_file = Q(student__district=update.district_id), Q()
    for word in words:
        current_name &= Q(student__name_key__contains=word)
        name_in_file &= Q(claims_name_key__contains=word)
    return current_name, name_in_file


def _row_views(update: UpdateJob, rows: list[StagedRow]) -> list[RowView]:
    outcomes = {row.line: _outcome_word(update, row) for row in rows}
    added_rows = [row for row in rows if outcomes[row.line] == Outcome.ADDED]
    updated_rows = [row for row in rows if outcomes[row.line] in _CHANGED]
    students = Student.objects.in_bulk([row.student_id for row in rows if row.student_id])
    added = added_students.find(update, added_rows)
    history = _changes_by_student(update, [row.student_id for row in updated_rows])
    links = _links_that_end(rows)
    problems = _problems(update, list(outcomes))
    views: list[RowView] = []
    for row in rows:
        outcome = outcomes[row.line]
        student = students.get(row.student_id or 0) or added.get(row.line)
        if outcome in _CHANGED:
            changes = tuple(history[row.student_id])
        else:
            changes = tuple(_staged_changes(row, outcome, links))
        student_ref = _student_ref(student, row)
        loose_key = None if student else row.claims_loose_key
        row_problems = tuple(problems[row.line])
        facts = (row.line, outcome, student_ref, changes, row_problems, loose_key)
        views.append(RowView(*facts, is_new=row.student_id is None))
    return views


def _outcome_word(update: UpdateJob, row: StagedRow) -> str:
    """Return the word for the row's outcome, or for having none."""
    if row.effective_outcome:
        return state_words.OUTCOMES[Outcome(row.effective_outcome)].word
    return WAITING if update.state in UNFINISHED else NOT_PROCESSED


def _changes_by_student(
    update: UpdateJob, students: Iterable[int | None]
) -> Mapping[int | None, list[FieldChange]]:
    """Return the changes in the history by student.

    The staged values aren't used: someone may have made a part of the change by hand after the
    row was checked.
    """
    by_student: defaultdict[int | None, list[FieldChange]] = defaultdict(list)
    # The query selects by student only. An update may have a million changes, and the database
    # could choose to read all of them if the update were part of the condition.
    history = Change.objects.filter(student__in=[*students]).values_list(
        "update__pk", "student__pk", *_HISTORY_FIELDS
    )
    for update_id, student, _, column, old, new in sorted(history, key=lambda change: change[2]):
        if update_id == update.pk:
            old_value, new_value = format_value(column, old), format_value(column, new)
            by_student[student].append(FieldChange(column, old_value, new_value))
    return by_student


def _links_that_end(rows: Iterable[StagedRow]) -> Mapping[str, Mapping[int, str]]:
    """Return the groups and staff of the students who would change school, by column.

    If the file doesn't have these columns, they weren't loaded when the row was checked.
    """
    moved = [
        row.student_id
        for row in rows
        if row.student_id
        and "SCHOOL_ID" in (row.columns or "").split(",")
        and not row.effective_outcome
    ]
    if not moved:
        return {}
    return {"GROUPS": load_groups(moved), "STAFF": load_staff(moved)}


def _staged_changes(
    row: StagedRow, outcome: str, links: Mapping[str, Mapping[int, str]]
) -> Iterator[FieldChange]:
    """Yield the values of a new student, and the pending changes of a waiting row."""
    if outcome in {Outcome.REJECTED, Outcome.UNCHANGED} or not row.values_json:
        return
    for column, staged in json.loads(row.values_json).items():
        old, new = staged if row.student_id else ("", staged)
        if column in links and row.student_id:
            old = links[column].get(row.student_id, old)
        if BY_NAME[column].secret:
            yield FieldChange(column, "", "changed")
        elif old != new:
            yield FieldChange(column, format_value(column, old), format_value(column, new))


def _problems(update: UpdateJob, lines: Collection[int]) -> Mapping[int | None, list[Problem]]:
    by_line: defaultdict[int | None, list[Problem]] = defaultdict(list)
    for problem in update.problem_set.filter(line__in=lines).order_by("line", "pk"):
        by_line[problem.line].append(to_problem(problem))
    return by_line


def _student_ref(student: Student | None, row: StagedRow) -> StudentRef | None:
    if student:
        return _reference(student)
    name, student_id = _name_in_file(row), row.claims_student_id or ""
    if student_id.startswith(DIGEST_MARK):
        student_id = ""
    if not name and not student_id:
        return None
    return StudentRef(None, name, student_id)


def _reference(student: Student) -> StudentRef:
    name = f"{student.first_name} {student.last_name}"
    return StudentRef(student.pk, name, student.student_id or "")


def _name_in_file(row: StagedRow) -> str:
    if row.values_json and not row.student_id:
        values = json.loads(row.values_json)
        return f"{values.get('FIRST_NAME', '')} {values.get('LAST_NAME', '')}".strip()
    return (row.claims_name_key or "").replace("\x1f", " ")
