"""Count what an update would do, from a few grouped statements.

Nothing here looks at single rows: a plan of a million rows is summarized from as many groups as
there are combinations of schools and columns.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from django.db import connection

from rollbook.db import planner_stats
from rollbook.db.json_keys import IN_JSON_TEXTS, as_json_parameter
from rollbook.db.read_snapshot import read_snapshot
from rollbook.students.diff import FOLLOW_SCHOOL
from rollbook.updates.checking import staged_groups
from rollbook.updates.manifest import ranges
from rollbook.updates.models import UpdateJob
from rollbook.updates.planning.limits import MIN_REJECTED_ROWS
from rollbook.updates.planning.summary import Counts, Summary
from rollbook.updates.row_outcomes import FIRST_WITHOUT_LINE

_NAMES = {"FIRST_NAME", "LAST_NAME"}
_CHANGED, _REJECTED = "changed", "rejected"


class RowGroup(NamedTuple):
    """Staged rows that are counted together.

    Attributes:
        kind: ``changed`` or ``rejected``.
        school: SCHOOL_ID of their students before the update; None: of no student.
        to_school: SCHOOL_ID of the school that their students would go to, if any.
        columns: The columns that change, as in ``StagedRow.columns``.
        is_without_student: Whether they match no student.
        is_removal: Whether they are in no file, because their students are missing.
        rows: How many there are.
    """

    kind: str
    school: str | None
    to_school: str | None
    columns: str | None
    is_without_student: bool
    is_removal: bool
    rows: int


class _Columns(NamedTuple):
    """Columns that change.

    Attributes:
        changed: Their names.
        lost: Those that lose their value; STATUS if the student becomes inactive.
    """

    changed: frozenset[str]
    lost: frozenset[str]


@lru_cache(maxsize=2000)
def _read(columns: str) -> _Columns:
    """Return the columns that ``StagedRow.columns`` describes."""
    names = columns.split(",") if columns else []
    lost = frozenset(name.removesuffix("-") for name in names if name.endswith("-"))
    return _Columns(frozenset(name.removesuffix("-") for name in names), lost)


@dataclass(slots=True)
class _Tally:
    """The counts of a district or a school that are being added up."""

    numbers: Counter[str] = field(default_factory=Counter)
    columns: Counter[str] = field(default_factory=Counter)
    emptied: Counter[str] = field(default_factory=Counter)

    def add_change(self, columns: _Columns, rows: int, expected: Collection[str]) -> None:
        """Add students in whom these columns change."""
        plain, lost = columns
        self.numbers["changed"] += rows
        for name in plain:
            self.columns[name] += rows
        for name in lost - {"STATUS"}:
            self.emptied[name] += rows
        if "STATUS" in plain:
            self.numbers["deactivated" if "STATUS" in lost else "reactivated"] += rows
        if plain >= _NAMES:
            self.numbers["renamed"] += rows
        followers = FOLLOW_SCHOOL if "SCHOOL_ID" in plain else frozenset()
        if plain and plain - followers <= set(expected):
            self.numbers["expected"] += rows

    def counts(self, active: int, rows: int) -> Counts:
        """Return the counts."""
        return Counts(
            active=active,
            rows=rows,
            **self.numbers,
            columns=dict(sorted(self.columns.items())),
            emptied=dict(sorted(self.emptied.items())),
        )


def summarize(
    update: UpdateJob,
    expected: Collection[str] = (),
    without: Collection[str] = (),
    *,
    removals: bool = True,
) -> Summary:
    """Return what an update would do, once all its rows have been checked.

    Args:
        update: The update.
        expected: Columns that are expected to change for everyone.
        without: SCHOOL_IDs of schools whose rows don't count.
        removals: Whether students count whom a file in full sync would deactivate.
    """
    found = [each for each in _load_groups(update) if removals or not each.is_removal]
    groups = [each for each in found if _is_counted(each, without)]
    active = _count_active(update.district_id)
    district, schools = _add_up(groups, expected)
    rejected = [key for key, each in schools.items() if _is_suspicious(each)]
    rows = _count_rows(update, rejected, groups) if rejected else {}
    left_out = sum(_rows_of_file(found)) - sum(_rows_of_file(groups))
    return Summary(
        district.counts(sum(active.values()), update.rows - left_out),
        {key: tally.counts(active.get(key, 0), rows.get(key, 0)) for key, tally in schools.items()},
    )


def _rows_of_file(groups: Iterable[RowGroup]) -> Iterator[int]:
    return (group.rows for group in groups if not group.is_removal)


def _is_counted(group: RowGroup, without: Collection[str]) -> bool:
    return group.school not in without and group.to_school not in without


def _is_suspicious(tally: _Tally) -> bool:
    return tally.numbers["rejected"] >= MIN_REJECTED_ROWS


def _add_up(
    groups: Iterable[RowGroup], expected: Collection[str]
) -> tuple[_Tally, dict[str, _Tally]]:
    """Return the counts of the district, and those of each school with any."""
    district, schools = _Tally(), defaultdict[str, _Tally](_Tally)
    for group in groups:
        add = _add_rejected if group.kind == _REJECTED else _adding(expected)
        add(district, group)
        for key in filter(None, {group.school, group.to_school}):
            if not group.school or key == group.school:
                add(schools[key], group)
            elif group.kind == _CHANGED:
                schools[key].numbers["moved_in"] += group.rows
    district.numbers["moved_in"] = district.numbers["moved_out"]
    return district, dict(schools)


def _add_rejected(tally: _Tally, group: RowGroup) -> None:
    tally.numbers["rejected"] += group.rows
    if group.is_without_student:
        tally.numbers["unknown"] += group.rows


def _adding(expected: Collection[str]) -> Callable[[_Tally, RowGroup], None]:
    def add(tally: _Tally, group: RowGroup) -> None:
        if group.is_without_student:
            tally.numbers["added"] += group.rows
            return
        tally.add_change(_read(group.columns or ""), group.rows, expected)
        if group.to_school:
            tally.numbers["moved_out"] += group.rows

    return add


# Fewer columns to sort by: with many rows, that is most of the time.
_GROUPS = """
SELECT school, to_school, columns, COUNT(*) - COUNT(student_id), COUNT(student_id)
FROM updates_stagedrow
WHERE update_id = %s AND {outcome} AND line >= %s AND line < %s
GROUP BY 1, 2, 3"""

_STATEMENTS = {
    _CHANGED: _GROUPS.format(outcome="outcome IS NULL"),
    _REJECTED: _GROUPS.format(outcome="outcome = 'rejected'"),
}
_OF_FILE, _REMOVALS = range(FIRST_WITHOUT_LINE), range(FIRST_WITHOUT_LINE, 1 << 31)


def _load_groups(update: UpdateJob) -> Iterator[RowGroup]:
    """Yield the groups of an update's rows; those of other updates, which are many, aren't read."""
    with read_snapshot(), connection.cursor() as cursor:
        counted, uncounted = staged_groups.load(update)
        for key, rows in counted.items():
            yield RowGroup(_CHANGED, *key, is_removal=False, rows=rows)
        planner_stats.disable_seqscan()
        parts = [(_CHANGED, lines) for lines in (*uncounted, _REMOVALS)]
        for kind, lines in (*parts, (_REJECTED, _OF_FILE), (_REJECTED, _REMOVALS)):
            cursor.execute(_STATEMENTS[kind], [update.pk, lines.start, lines.stop])
            for school, to_school, columns, unmatched, matched in cursor.fetchall():
                places = (school, to_school, columns)
                for is_without_student, rows in ((True, unmatched), (False, matched)):
                    if rows:
                        is_removal = lines is _REMOVALS
                        yield RowGroup(kind, *places, is_without_student, is_removal, rows)


_ACTIVE = """
SELECT school.organization_id,
  (SELECT COUNT(*) FROM students_student student WHERE student.school_id = school.id)
  - (
    SELECT COUNT(*) FROM students_student student
    WHERE student.school_id = school.id AND student.status = 'inactive'
  )
FROM districts_school school
WHERE school.district_id = %s"""


def _count_active(district_id: int) -> dict[str, int]:
    """Return the active students of each school, by SCHOOL_ID.

    All students of a school are counted in one index, and the few inactive ones in another; the
    table itself isn't read.
    """
    with connection.cursor() as cursor:
        cursor.execute(_ACTIVE, [district_id])
        return dict(cursor.fetchall())


_STUDENTS_OF_SCHOOLS = f"""
SELECT student.id, school.organization_id
FROM districts_school school JOIN students_student student ON student.school_id = school.id
WHERE school.district_id = %s AND school.organization_id {IN_JSON_TEXTS}"""


def _count_rows(
    update: UpdateJob, schools: Collection[str], groups: Iterable[RowGroup]
) -> dict[str, int]:
    """Return how many rows of the file are about each of these schools.

    Those are the rows of its students, and those without a student that name the school.
    """
    with connection.cursor() as cursor:
        cursor.execute(_STUDENTS_OF_SCHOOLS, [update.district_id, as_json_parameter(schools)])
        school_of: Mapping[int, str] = dict(cursor.fetchall())
    rows = Counter(filter(None, map(school_of.get, ranges.students_of(update))))
    for group in groups:
        if group.is_without_student and (key := group.school or group.to_school):
            rows[key] += group.rows
    return {key: rows[key] for key in schools}
