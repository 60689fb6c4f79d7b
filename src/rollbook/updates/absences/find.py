"""Find out, once all conflicts are resolved, whom a file in full sync doesn't name.

Present are the students whom rows are about, also known and rejected ones, and those whom rejected
rows name in any cell. The others are missing, unless their school has no row. Those who are due
are staged as rows without a line, in small transactions. All of it can be repeated after a crash.
"""

from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.db import connection, transaction
from django.db.models import F

from rollbook.accounts.auth.token_limits import TokenLimits
from rollbook.db.json_keys import IN_JSON_INTEGERS, as_json_parameter
from rollbook.districts.local_dates import local_date
from rollbook.studentfile.problems.problem import Problem
from rollbook.students import absences
from rollbook.students.absences import Counted
from rollbook.updates.absences import named, roster
from rollbook.updates.absences.figures import Figures, Rows, select_missing, why_not_counted
from rollbook.updates.absences.id_set import IdSet
from rollbook.updates.checking import staged_rows
from rollbook.updates.checking.staged_rows import StagedRowTuple
from rollbook.updates.manifest import ranges
from rollbook.updates.models import MissingStudents, StagedRow, UpdateJob
from rollbook.updates.resolving.resolver import ConflictResolver
from rollbook.updates.row_outcomes import FIRST_WITHOUT_LINE, ORDER_WITHOUT_LINE
from rollbook.updates.state_machine import Mode

ROWS_PER_STEP = 5000
MAX_FILES = 255
"""More files without a student aren't told apart in the list of an update."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A missing student.

    Attributes:
        student: The student's ID in the database.
        files: The files without the student, with this one.
        is_due: Whether the student is to be deactivated.
    """

    student: int
    files: int
    is_due: bool


@dataclass(frozen=True, slots=True)
class Findings:
    """Whom a file doesn't name.

    Attributes:
        figures: The numbers.
        missing: The missing students; those who are due come first.
    """

    figures: Figures
    missing: Sequence[Missing] = ()


def steps(update: UpdateJob, run: str) -> Iterator[None]:
    """Find the missing students of an update in full sync, and stage those who are due.

    Raises:
        Fenced: Another run has taken over the update, or it was canceled.
        FileMissing: The student file is missing or damaged.
    """
    if update.mode != Mode.SYNC:
        return
    update.refresh_from_db()
    resolver = ConflictResolver(update, run)
    if update.absences is None:
        findings = find(update)
        with transaction.atomic():
            _store(resolver, findings)
        yield
        update.refresh_from_db(fields=["absences"])
    yield from _stage_due(resolver, Figures.from_json(update.absences or {}))


def find(update: UpdateJob) -> Findings:
    """Return whom the file of an update doesn't name; all of its rows have their outcome."""
    rejected = named.rejected_without_student(update)
    repeats = update.corrects_id is not None or update.split_from_id is not None
    is_protected = "STATUS" in TokenLimits.from_json(update.limits).protected_columns
    students = roster.load(update.district_id)
    seen = IdSet(students.students.values())
    seen.add(ranges.students_of(update))
    unnamed, present = _unnamed(students, seen)
    count = sum(map(len, unnamed.values()))
    reason = why_not_counted(
        active=students.active,
        unnamed=count,
        rows=update.rows,
        rejected=len(rejected),
        repeats=repeats,
        is_protected=is_protected,
    )
    if reason:
        return Findings(Figures(students.active, count, not_counted=reason))
    if rejected and count:
        seen.add(named.students_named(update, rejected))
        unnamed, present = _unnamed(students, seen)
        count = sum(map(len, unnamed.values()))
    keys, schools = select_missing(unnamed, present, _rows_of_schools(update))
    missing = _count(update, keys)
    due = sum(each.is_due for each in missing)
    return Findings(Figures(students.active, count, len(missing), due, schools=schools), missing)


def _unnamed(students: roster.Roster, seen: IdSet) -> tuple[dict[str, list[int]], dict[str, int]]:
    """Return the active students who weren't seen, and how many students were, by school."""
    unnamed: dict[str, list[int]] = {}
    present: dict[str, int] = {}
    for school, keys in students.students.items():
        unseen = list(seen.missing_from(keys))
        present[school] = len(keys) - len(unseen)
        if unseen and (inactive := set(students.inactive.get(school, ()))):
            unseen = [student for student in unseen if student not in inactive]
        unnamed[school] = unseen
    return unnamed, present


_ROWS_OF_SCHOOLS = """
SELECT school, to_school, outcome, COUNT(*)
FROM updates_stagedrow
WHERE update_id = %s AND (to_school IS NOT NULL OR outcome = 'rejected')
GROUP BY 1, 2, 3"""


def _rows_of_schools(update: UpdateJob) -> Mapping[str, Rows]:
    """Return what staged and rejected rows say about schools."""
    is_named: set[str] = set()
    leaving: defaultdict[str, int] = defaultdict(int)
    with connection.cursor() as cursor:
        cursor.execute(_ROWS_OF_SCHOOLS, [update.pk])
        for school, to_school, outcome, count in cursor.fetchall():
            if to_school and school and outcome is None:
                leaving[school] += count
            is_named.update(filter(None, [to_school or school]))
    return {school: Rows(school in is_named, leaving[school]) for school in {*is_named, *leaving}}


def _count(update: UpdateJob, students: Sequence[int]) -> list[Missing]:
    """Return how often each of these students is missing, those who are due first."""
    before = absences.counted(update.district_id)
    today = local_date(update.district, update.received_at)
    found = [_missing(update, student, before.get(student), today) for student in sorted(students)]
    return sorted(found, key=lambda each: not each.is_due)


def _missing(update: UpdateJob, student: int, before: Counted | None, today: date) -> Missing:
    """Return how often a student is missing with this file; one of a newer file changes nothing."""
    if before is None:
        return Missing(student, 1, is_due=False)
    if before.number >= update.number:
        return Missing(student, before.files, is_due=False)
    district = update.district
    is_new_day = local_date(district, before.received_at) < today
    files = before.files + int(is_new_day)
    days = (today - before.since).days
    is_due = files >= district.absent_files and days >= district.absent_days
    return Missing(student, files, is_due)


def _store(resolver: ConflictResolver, findings: Findings) -> None:
    """Write what was found, in the caller's transaction.

    Raises:
        Fenced: Another run has taken over the update, or it was canceled.
    """
    figures = findings.figures
    warnings = [Problem("school_without_rows", found=school) for school in figures.schools]
    if figures.not_counted:
        warnings.append(Problem(figures.not_counted))
    resolver.report(warnings, {"absences": figures.as_json()})
    MissingStudents.objects.create(
        update=resolver.update,
        student_ids=array("q", (each.student for each in findings.missing)).tobytes(),
        files=bytes(min(each.files, MAX_FILES) for each in findings.missing),
    )


def _stage_due(resolver: ConflictResolver, figures: Figures) -> Iterator[None]:
    """Stage a row for each student who is due, one transaction per step."""
    update = resolver.update
    stored = MissingStudents.objects.get(update=update)
    due = array("q", bytes(stored.student_ids))[: figures.due]
    of_update = StagedRow.objects.filter(update=update, line__gte=FIRST_WITHOUT_LINE)
    done = of_update.order_by("-line").values_list("line", flat=True).first()
    first = 0 if done is None else done + 1 - FIRST_WITHOUT_LINE
    while first < len(due):
        part = due[first : first + ROWS_PER_STEP]
        with transaction.atomic():
            staged_rows.stage(update.pk, _rows(part, first))
            resolver.record_progress(rows_staged=F("rows_staged"))  # progress
        first += len(part)
        yield


_STUDENTS = f"""
SELECT student.id, student.version, school.organization_id
FROM students_student student JOIN districts_school school ON school.id = student.school_id
WHERE student.id {IN_JSON_INTEGERS}"""


def _rows(students: Sequence[int], first: int) -> Iterable[StagedRowTuple]:
    """Return the rows that deactivate these students.

    Args:
        students: Their IDs.
        first: How many rows of the update come before them.
    """
    with connection.cursor() as cursor:
        cursor.execute(_STUDENTS, [as_json_parameter(students)])
        stored = {student: (version, school) for student, version, school in cursor.fetchall()}
    for position, student in enumerate(students, start=first):
        version, school = stored.get(student, (0, None))  # deleted since
        yield StagedRowTuple(
            FIRST_WITHOUT_LINE + position,
            student,
            '{"STATUS": ["active", "inactive"]}',
            ORDER_WITHOUT_LINE + position,
            student_version=version,
            simple_columns="STATUS",
            columns="STATUS-",
            school=school,
        )
