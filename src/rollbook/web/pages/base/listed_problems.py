"""List the problems of a file: where each one is, what is wrong there, and how to fix it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from rollbook.studentfile.problems.problem import Problem, Severity
from rollbook.studentfile.problems.tally import ProblemGroup
from rollbook.web.pages.base.column_labels import label

MAX_LISTED = 10
"""Problems of one code that are listed."""


@dataclass(frozen=True)
class ListedProblem:
    """One problem, as a row of a table.

    Attributes:
        line: The line; None for the file as a whole.
        column: The name of the column for people; empty if it isn't about one.
        value: What was found.
        fix: How to fix this one, as sentences; empty if the fix of the group says it.
    """

    line: int | None
    column: str
    value: str
    fix: str


@dataclass(frozen=True)
class ListedGroup:
    """The problems of one code, with the first ones of them.

    Attributes:
        group: All problems of the code.
        problems: The first ones that are about a line, a column or a value.
        fix: How to fix all of them, as sentences.
        others: How many more there are.
    """

    group: ProblemGroup
    problems: tuple[ListedProblem, ...]
    fix: str
    others: int

    @property
    def is_error(self) -> bool:
        """Whether rows or the file are rejected for it."""
        return self.group.severity is Severity.ERROR


def list_problems(groups: Iterable[ProblemGroup], *, confidential: bool) -> list[ListedGroup]:
    """Return the problems for a table.

    Args:
        groups: The problems by code, with the first ones of each.
        confidential: Whether values of confidential columns may be shown.
    """
    return [_listed(group, confidential=confidential) for group in groups]


def _listed(group: ProblemGroup, *, confidential: bool) -> ListedGroup:
    first = group.first[:MAX_LISTED]
    shown = [each if confidential else each.without_confidential() for each in first]
    rows = tuple(_rows(shown))
    fixes = {row.fix for row in rows}
    general = " ".join([_sentence(text) for text in (*group.hints, group.fix)])
    if len(fixes) == 1 and "" not in fixes:  # the same for all of them
        general = fixes.pop()
        rows = tuple(replace(row, fix="") for row in rows)
    return ListedGroup(group, rows, general, max(group.count - len(first), 0))


def _rows(problems: Iterable[Problem]) -> Iterator[ListedProblem]:
    for each in problems:
        if each.line or each.column or each.found:
            fix = _sentence(each.hint) if each.line and each.hint else ""
            column = label(each.column) if each.column else ""
            yield ListedProblem(each.line, column, each.found, fix)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
