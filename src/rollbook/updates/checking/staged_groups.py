"""Count staged rows by school and columns while they are checked, for the summary of the plan.

To read and sort a million rows once more takes a second. So ranges that follow each other have the
groups of their rows, and the database only groups the rows of other ranges: of those with few rows,
and of those in which a row got an outcome since.
"""

import json
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from rollbook.updates.checking.staged_rows import (
    AnyRowTuple,
    NewStudentTuple,
    SimpleChangeTuple,
    StagedRowTuple,
)
from rollbook.updates.models import UpdateJob
from rollbook.updates.row_outcomes import FIRST_WITHOUT_LINE

MIN_ROWS = 1000
"""With fewer rows, the database groups them as fast."""

MAX_ROWS = 50_000
"""Rows that are counted together, and grouped by the database if one of them gets an outcome."""

MIN_ROWS_OF_GROUP = 4
"""Rows of a group on average: with fewer, the groups take as long to read as the rows."""

_as_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class GroupKey(NamedTuple):
    """What rows have in common that are counted together; see ``StagedRow``."""

    school: str | None = None
    to_school: str | None = None
    columns: str | None = None
    is_without_student: bool = False


class CountedLines(NamedTuple):
    """The groups of the rows on some lines.

    Attributes:
        first_line: The first line; 0: the rows aren't counted.
        groups: Each key with the number of its rows, as JSON.
    """

    first_line: int = 0
    groups: str = ""


NOT_COUNTED = CountedLines()


class GroupCounter:
    """Counts the staged rows of batches that follow each other."""

    def __init__(self) -> None:
        self._first_line = self._end_line = self._rows = 0
        self._groups: defaultdict[type[NamedTuple], Counter[Any]] = defaultdict(Counter)

    def add(self, lines: Sequence[int], end_line: int, rows: Sequence[AnyRowTuple]) -> None:
        """Add a batch.

        Args:
            lines: The lines of its records.
            end_line: The line after the last record.
            rows: The rows to apply.
        """
        if lines[0] != self._end_line:
            self._clear()
            self._first_line = lines[0]
        self._end_line = end_line
        self._rows += len(rows)
        by_kind: defaultdict[type[NamedTuple], list[AnyRowTuple]] = defaultdict(list)
        for row in rows:
            by_kind[type(row)].append(row)
        for kind, some in by_kind.items():
            self._groups[kind].update(map(_GROUPED_BY[kind], some))

    @property
    def is_full(self) -> bool:
        """Whether so many rows are counted that they are to be stored."""
        return self._rows >= MAX_ROWS

    def take(self) -> CountedLines:
        """Return what was counted, and begin anew; nothing if there are few rows or many groups."""
        keys = [
            (*_KEY[kind](value), number)
            for kind, counted in self._groups.items()
            for value, number in counted.items()
        ]
        is_worth_it = self._rows >= max(MIN_ROWS, MIN_ROWS_OF_GROUP * len(keys))
        first_line = self._first_line
        self._clear()
        return CountedLines(first_line, _as_json(keys)) if is_worth_it else NOT_COUNTED

    def _clear(self) -> None:
        self._end_line = self._rows = 0
        self._groups.clear()


_GROUPED_BY = {
    SimpleChangeTuple: attrgetter("school", "columns"),
    StagedRowTuple: attrgetter("school", "to_school", "columns"),
    NewStudentTuple: attrgetter("to_school"),
}

_KEY = {
    SimpleChangeTuple: lambda value: GroupKey(school=value[0], columns=value[1]),
    StagedRowTuple: lambda value: GroupKey(*value),
    NewStudentTuple: lambda value: GroupKey(to_school=value, is_without_student=True),
}


def forget(update: UpdateJob, lines: Collection[int]) -> None:
    """Let the database group the rows around these lines, in the transaction that changes them.

    Args:
        update: The update.
        lines: The lines of rows that are staged, get an outcome, or are removed.
    """
    if update.rows_staged < MIN_ROWS:
        return
    changed, ordered = [], sorted(lines)
    stored = update.checkedrange_set.filter(groups_from_line__gt=0)
    for pk, first, end in stored.values_list("pk", "groups_from_line", "end_line"):
        at = bisect_left(ordered, first)
        if at < len(ordered) and ordered[at] < end:
            changed.append(pk)
    stored.filter(pk__in=changed).update(groups_from_line=0, staged_groups="")


class CountedGroups(NamedTuple):
    """The counted rows of an update that have no outcome.

    Attributes:
        groups: How many rows have a key.
        uncounted: Lines whose rows aren't counted.
    """

    groups: Counter[GroupKey]
    uncounted: list[range]


def load(update: UpdateJob) -> CountedGroups:
    """Return the rows of an update's file that were counted, until its plan has been judged."""
    groups = Counter[GroupKey]()
    if update.rows_staged < MIN_ROWS:
        return CountedGroups(groups, [range(FIRST_WITHOUT_LINE)])
    uncounted = []
    start = 0
    stored = update.checkedrange_set.filter(groups_from_line__gt=0).order_by("end_line")
    for first, end, counted in stored.values_list("groups_from_line", "end_line", "staged_groups"):
        uncounted.append(range(start, first))
        start = end
        for *key, number in json.loads(counted):
            groups[GroupKey(*key)] += number
    uncounted.append(range(start, FIRST_WITHOUT_LINE))
    return CountedGroups(groups, list(filter(None, uncounted)))
