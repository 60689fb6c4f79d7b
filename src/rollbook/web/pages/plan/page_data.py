"""Load the data of the page of a plan."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rollbook.accounts.managers import members_who_may
from rollbook.accounts.models import Member
from rollbook.districts.models import School
from rollbook.pagination import Page, get_page
from rollbook.studentfile.mapping.edit import step_of
from rollbook.studentfile.problems.tally import ProblemGroup
from rollbook.updates.feed.findings import Finding
from rollbook.updates.models import UpdateJob
from rollbook.updates.planning import decisions, limit_sets
from rollbook.updates.planning.plan_status import PlanStatus
from rollbook.updates.planning.summary import Counts, Summary
from rollbook.updates.problem_store import to_problem
from rollbook.updates.reporting.plan_figures import FIGURES, Figure
from rollbook.updates.state_machine import State
from rollbook.web.pages.base.column_labels import label
from rollbook.web.pages.base.listed_problems import MAX_LISTED, ListedGroup, list_problems
from rollbook.web.pages.plan.plan_words import SchoolNames, reason_line

SCHOOLS_PER_PAGE = 50
MAX_REASONS = 20
MAX_CHOICES_EXCEEDING = 100
MAX_CHOICES_LARGEST = 10
_SHOWN_AS_FIGURES = ("SCHOOL_ID", "STATUS")
"""Columns whose changes are figures of their own."""


@dataclass(frozen=True)
class Cell:
    """A figure of a school or of the district, which leads to its rows."""

    figure: Figure
    count: int


@dataclass(frozen=True)
class SchoolLine:
    """One school in the table of a plan.

    Attributes:
        key: Its SCHOOL_ID; empty: the whole district.
        name: Its name.
        active: Its active students.
        is_exceeding: Whether it exceeds a limit.
        cells: Its figures, in the order of the table's headings.
    """

    key: str
    name: str
    active: int
    is_exceeding: bool
    cells: Sequence[Cell]


@dataclass(frozen=True)
class SchoolTable:
    """The figures of a plan by school.

    Attributes:
        headings: The names of the figures.
        district: The figures of the district.
        schools: One page of the schools; those that exceed a limit come first.
    """

    headings: Sequence[str]
    district: SchoolLine
    schools: Page[SchoolLine]


@dataclass(frozen=True)
class Choices:
    """The schools that are offered to be left out.

    Attributes:
        schools: The SCHOOL_ID and name of each.
        others: How many more schools exceed a limit.
    """

    schools: Sequence[tuple[str, str]]
    others: int


@dataclass(frozen=True)
class Deciders:
    """Who may approve a plan.

    Attributes:
        may_approve: Whether the member who looks at it may.
        is_own: Whether that member may not, because a second person is required.
        members: Who may.
    """

    may_approve: bool
    is_own: bool
    members: Sequence[Member]


def school_names(update: UpdateJob) -> SchoolNames:
    """Return the names of the district's schools by SCHOOL_ID."""
    schools = School.objects.filter(district=update.district_id)
    return dict(schools.values_list("organization_id", "name"))


def find_deciders(update: UpdateJob, member: Member) -> Deciders:
    """Return who may approve the plan, besides the operator.

    A dry run within the limits may be applied by everybody who may update students: they could
    send the file without a dry run, too.
    """
    document = limit_sets.find_current(update.district_id).document
    needs_other = document.second_person and update.state != State.SCHEDULED
    excluded = update.member_id if needs_other else None
    needed = decisions.needed_permission(update)
    found = members_who_may(update.district, needed)
    members = [each for each in found if each.pk != excluded]
    is_own = needs_other and member.pk == update.member_id
    return Deciders(member.may(needed) and not is_own, is_own, members)


@dataclass(frozen=True)
class Repair:
    """What would make the whole file right.

    Attributes:
        found: What looks wrong, as a sentence without its period.
        column: The column.
        steps: The steps of a column mapping, as JSON.
    """

    found: str
    column: str
    steps: str


def repairs_of(update: UpdateJob) -> list[Repair]:
    """Return the repairs of an update's file that are known."""
    found = [Finding.from_json(each) for each in update.findings or []]
    return [
        Repair(each.hint, each.column, json.dumps(list(map(step_of, each.fixes))))
        for each in found
        if each.fixes and update.split_from_id is None
    ]


def problems_of(
    update: UpdateJob, groups: Iterable[ProblemGroup], *, confidential: bool
) -> list[ListedGroup]:
    """Return the problems of an update for a table, with the first ones of each code.

    Args:
        update: The update.
        groups: Its problems by code.
        confidential: Whether values of confidential columns may be shown.
    """
    stored = update.problem_set.order_by("line", "pk")
    complete = [
        replace(group, first=tuple(map(to_problem, stored.filter(code=group.code)[:MAX_LISTED])))
        for group in groups
    ]
    return list_problems(complete, confidential=confidential)


def values_in(listed: Iterable[ListedGroup]) -> list[str]:
    """Return the texts of listed problems that can name students."""
    problems = [each for group in listed for each in group.problems]
    return [f"{each.value} {each.fix}" for each in problems]


def reasons_of(plan: PlanStatus, names: SchoolNames) -> dict[str, Any]:
    """Return the limits that the plan exceeds: the first ones, and how many others."""
    lines = [reason_line(reason, names) for reason in plan.reasons[:MAX_REASONS]]
    return {"lines": lines, "others": len(plan.reasons) - len(lines)}


def school_table(plan: PlanStatus, names: SchoolNames, page: int) -> SchoolTable:
    """Return one page of the figures by school."""
    summary, shown = plan.summary, list(_shown_figures(plan.summary.district))
    exceeding = _exceeding(plan)
    keys = sorted(summary.schools, key=lambda key: _rank(key, summary, exceeding))

    def line(key: str) -> SchoolLine:
        name = names.get(key, "no longer a school")
        return _line(key, name, summary.schools[key], shown, is_exceeding=key in exceeding)

    return SchoolTable(
        headings=[_heading(name) for name in shown],
        district=_line("", "All schools", summary.district, shown),
        schools=get_page(
            len(keys), page, SCHOOLS_PER_PAGE, lambda first, last: list(map(line, keys[first:last]))
        ),
    )


def choices(plan: PlanStatus, names: SchoolNames, chosen: Iterable[str]) -> Choices:
    """Return the schools to leave out: those that exceed a limit, chosen ones, and the largest."""
    summary, exceeding = plan.summary, _exceeding(plan)
    ordered = sorted(summary.schools, key=lambda key: _rank(key, summary, exceeding))
    known = [key for key in ordered if key in names]
    offered = [key for key in known if key in exceeding][:MAX_CHOICES_EXCEEDING]
    offered += [key for key in known if key not in exceeding][:MAX_CHOICES_LARGEST]
    offered += [key for key in chosen if key in names]
    unique = dict.fromkeys(offered)
    others = len([key for key in exceeding if key in names and key not in unique])
    return Choices([(key, names[key]) for key in unique], others)


def _exceeding(plan: PlanStatus) -> set[str]:
    return {reason.school for reason in plan.reasons if reason.school}


def _rank(key: str, summary: Summary, exceeding: set[str]) -> tuple[bool, int, str]:
    counts = summary.schools[key]
    rows = counts.changed + counts.added + counts.rejected
    return key not in exceeding, -rows, key


def _shown_figures(district: Counts) -> Iterable[str]:
    """Yield the figures of which there are any, then the columns by how often they change."""
    yield from (name for name in FIGURES if getattr(district, name))
    columns = sorted(district.columns, key=lambda name: (-district.columns[name], name))
    yield from (name for name in columns if name not in _SHOWN_AS_FIGURES)


def _heading(name: str) -> str:
    return FIGURES[name].label if name in FIGURES else label(name)


def _line(
    key: str, name: str, counts: Counts, shown: Sequence[str], *, is_exceeding: bool = False
) -> SchoolLine:
    figures = [Figure(each, key) for each in shown]
    cells = [Cell(figure, figure.count_in(counts)) for figure in figures]
    return SchoolLine(key, name, counts.active, is_exceeding, cells)
