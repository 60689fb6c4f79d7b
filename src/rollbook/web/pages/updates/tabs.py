"""Choose the rows that an update's page shows: by outcome, as tabs, or by problem."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from django.http import QueryDict
from django.utils.http import urlencode

from rollbook.pagination import Page
from rollbook.studentfile.problems.problem import PROBLEM_CODES
from rollbook.updates.exports.names_as_sent import with_names_as_sent
from rollbook.updates.models import UpdateJob
from rollbook.updates.reporting import rows, unchanged_rows
from rollbook.updates.reporting.report import Report
from rollbook.updates.reporting.rows import WAITING, RowView
from rollbook.updates.state_machine import Outcome

PAGE_SIZE = 25
SHOW, PROBLEM, LINE = "show", "problem", "line"
MAX_LINE_DIGITS = 9


@dataclass(frozen=True)
class Tab:
    """One outcome of rows.

    Attributes:
        name: The outcome, as in the address.
        label: What it is called.
        count: How many rows ended so.
        is_current: Whether its rows are shown.
    """

    name: str
    label: str
    count: int
    is_current: bool = False

    @property
    def query(self) -> str:
        """The query of its address."""
        return f"?{urlencode({SHOW: self.name})}#rows"


@dataclass(frozen=True)
class RowTable:
    """The tabs and the rows that they select.

    Attributes:
        tabs: The outcomes.
        current: The outcome whose rows are shown.
        page: The rows; None once retention has removed them.
        problem: The title of the problem whose rows are shown; empty for all rows of the outcome.
        line: The line of the one row that is shown; None for all rows of the outcome.
    """

    tabs: tuple[Tab, ...]
    current: Tab
    page: Page[RowView] | None
    problem: str = ""
    line: int | None = None


_FIRST: Mapping[str, str] = {
    Outcome.REJECTED: "Rejected",
    Outcome.UPDATED: "Changed",
    Outcome.ADDED: "Added",
    Outcome.DEACTIVATED: "Deactivated",
    Outcome.LEFT_OUT: "Left out",
    WAITING: "Not processed",
    Outcome.UNCHANGED: "Unchanged",
}
"""What is shown first if the address names nothing: the first of these that has rows."""

_OF_UNDO: Mapping[str, str] = {
    Outcome.REJECTED: "Left as they are",
    Outcome.UPDATED: "Set back",
    Outcome.UNCHANGED: "As before already",
}
"""What outcomes are called if an update undoes another one."""

_ORDER = (
    Outcome.UPDATED,
    Outcome.ADDED,
    Outcome.UNCHANGED,
    Outcome.REJECTED,
    Outcome.LEFT_OUT,
    Outcome.DEACTIVATED,
    WAITING,
)
_ALWAYS = frozenset({Outcome.UPDATED.value, Outcome.UNCHANGED.value, Outcome.REJECTED.value})


def row_table(update: UpdateJob, report: Report, query: QueryDict, number: int) -> RowTable:
    """Return the rows that the address selects, without confidential values.

    Args:
        update: The update.
        report: Its report.
        query: The query of the address.
        number: The number of the page.
    """
    counts = _counts(report)
    name = _selected(query.get(SHOW, ""), counts)
    code = query.get(PROBLEM, "")
    definition = PROBLEM_CODES.get(code)
    labels = _FIRST if report.undoes is None else {**_FIRST, **_OF_UNDO}
    tabs = tuple(_tabs(counts, name, labels))
    current = Tab(name, labels[name], counts[name], is_current=True)
    if update.details_hidden_at:
        return RowTable(tabs, current, None)
    line = _line(query.get(LINE, ""))
    if line is None:
        page = _page(update, name, code if definition else "", number)
    else:
        page, definition = rows.row_on_line(update, line), None
    named = with_names_as_sent(update, page.items)
    items = [row.without_confidential() for row in named]
    problem = definition.title if definition else ""
    return RowTable(tabs, current, replace(page, items=items), problem, line)


def _line(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) <= MAX_LINE_DIGITS else None


def _page(update: UpdateJob, name: str, code: str, number: int) -> Page[RowView]:
    if code:
        return rows.rows_with_problem(update, code, number, PAGE_SIZE)
    if name == Outcome.UNCHANGED:
        return unchanged_rows.page_of(update, number, PAGE_SIZE)
    return rows.rows_of(update, name, page=number, size=PAGE_SIZE)


def _counts(report: Report) -> dict[str, int]:
    return {
        Outcome.UPDATED.value: report.updated,
        Outcome.ADDED.value: report.added,
        Outcome.UNCHANGED.value: report.unchanged,
        Outcome.REJECTED.value: report.rejected,
        Outcome.LEFT_OUT.value: report.left_out,
        Outcome.DEACTIVATED.value: report.deactivated,
        WAITING: report.not_processed,
    }


def _selected(name: str, counts: Mapping[str, int]) -> str:
    if name in counts:
        return name
    return next((str(each) for each in _FIRST if counts[each]), Outcome.UPDATED.value)


def _tabs(counts: Mapping[str, int], selected: str, labels: Mapping[str, str]) -> Iterator[Tab]:
    for each in map(str, _ORDER):
        if counts[each] or each in _ALWAYS or each == selected:
            yield Tab(each, labels[each], counts[each], each == selected)
