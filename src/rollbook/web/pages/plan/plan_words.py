"""Word a plan for its page: what it would do, which limits it exceeds, and who acts next."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from rollbook.accounts.models import Member
from rollbook.districts.models import District, School
from rollbook.text import count_of, format_datetime, format_number, join_words
from rollbook.updates.planning.feed_measures import measure_of
from rollbook.updates.planning.limits import Reason
from rollbook.updates.planning.plan_status import PlanStatus
from rollbook.updates.planning.reason_words import (
    noun_of,
    plan_sentence,
    share_in_percent,
    what_would_happen,
)
from rollbook.updates.planning.summary import Counts, Summary
from rollbook.updates.reporting import undo_words
from rollbook.updates.reporting.plan_figures import FIGURES, Figure
from rollbook.web.pages.base.column_labels import label

MAX_NAMED_MEMBERS = 3
SchoolNames = Mapping[str, str]
"""The names of schools by SCHOOL_ID; those of closed schools are missing."""


@dataclass(frozen=True)
class ReasonLine:
    """A limit that a plan exceeds, as a row of a table.

    Attributes:
        what: What would happen.
        where: The school; empty: the whole district.
        count: To how many.
        of: Of how many.
        share: The share in percent.
        limit: The limit.
    """

    what: str
    where: str
    count: int
    of: str
    share: str
    limit: str


def undo_sentence(plan: PlanStatus) -> str:
    """Return what matters most of a plan that undoes an update."""
    return f"{_capitalized(undo_words.plan_sentence(plan.summary.district))}."


def lead_sentence(plan: PlanStatus, names: SchoolNames, unchanged: int) -> str:
    """Return what matters most: ``412 students would change school, 398 of them at Maple High``.

    Args:
        plan: The plan.
        names: The names of the district's schools.
        unchanged: Rows that match what is there.
    """
    if not plan.reasons:
        return result_sentence(plan.summary.district, unchanged)
    reason = plan.reasons[0]
    at = f" at {_school(reason.school, names)}" if reason.school else ""
    sentence = f"{_counted(reason)}{at} {what_would_happen(reason)}"
    if not reason.school and (most := _school_with_most(reason, plan.summary)):
        school, count = most
        of_them = "all of them" if count == reason.measured.count else f"{count:,} of them"
        sentence += f", {of_them} at {_school(school, names)}"
    return f"{sentence}."


def result_sentence(counts: Counts, unchanged: int) -> str:
    """Return what would become of all rows: ``290 students would change, 4 can’t be applied``."""
    parts = [plan_sentence(replace(counts, rejected=0))]
    if unchanged:
        parts.append(f"{count_of(unchanged, 'row')} would change nothing")
    if counts.rejected:
        parts.append(f"{count_of(counts.rejected, 'row')} can’t be applied")
    return f"{_capitalized(', '.join(parts))}."


def reason_line(reason: Reason, names: SchoolNames) -> ReasonLine:
    """Return a limit that a plan exceeds as a row of a table."""
    measured = reason.measured
    return ReasonLine(
        what=_capitalized(what_would_happen(reason)),
        where=_school(reason.school, names) if reason.school else "",
        count=measured.count,
        of=count_of(measured.of, noun_of(reason)),
        share=f"{share_in_percent(reason)}%",
        limit=f"{reason.limit.percent}% and {format_number(reason.limit.count)}",
    )


def effect(counts: Counts, *, undoes: bool = False) -> str:
    """Return what applying a plan does, for its button: ``Change 290 and add 12``; or nothing.

    Args:
        counts: What it does, in numbers.
        undoes: Whether it undoes an update: ``Set back 290 students and deactivate 12``.
    """
    effects = list(undo_words.effects(counts) if undoes else _effects(counts))
    return _capitalized(join_words(effects)) if effects else ""


def next_step(plan: PlanStatus, *, may_approve: bool, deciders: Sequence[Member], zone: str) -> str:
    """Return who decides next, until when, and what happens otherwise.

    Args:
        plan: The plan.
        may_approve: Whether the person who reads it may approve it.
        deciders: Who may approve it.
        zone: The time zone of the district.
    """
    until = f" by {format_datetime(plan.discard_at, zone)}" if plan.discard_at else ""
    apply = "Apply" if plan.is_check else "Approve"
    if plan.apply_at:
        return f"It is applied at {format_datetime(plan.apply_at, zone)}, unless it is discarded."
    if may_approve:
        return f"{apply} or discard it{until}. After that, it is discarded and nothing is applied."
    who = _named(deciders) or "Nobody in your district"
    can = f"{who} can approve it{until}"
    return f"{can}. After that, it is discarded and nothing is applied."


def figure_words(figure: Figure, district: District) -> str:
    """Return which rows a figure counts: ``Moved out, Maple High (100)``."""
    what = FIGURES[figure.name].label if figure.name in FIGURES else label(figure.name)
    if not figure.school:
        return what
    found = School.objects.filter(district=district, organization_id=figure.school).first()
    return f"{what}, {found.title if found else figure.school}"


def _named(members: Sequence[Member]) -> str:
    shown = [member.name for member in members[:MAX_NAMED_MEMBERS]]
    if len(members) > MAX_NAMED_MEMBERS:
        shown.append(count_of(len(members) - MAX_NAMED_MEMBERS, "other"))
    return join_words(shown) if shown else ""


def _effects(counts: Counts) -> Iterator[str]:
    if counts.changed:
        yield f"change {format_number(counts.changed)}"
    if counts.added:
        yield f"add {format_number(counts.added)}"


def _counted(reason: Reason) -> str:
    return count_of(reason.measured.count, noun_of(reason))


def _school_with_most(reason: Reason, summary: Summary) -> tuple[str, int] | None:
    """Return the school with at least half of these, and how many; None if there is none."""
    measure = measure_of(reason.measure)
    found = {}
    for school, counts in summary.schools.items():
        for measured in measure.figures(counts):
            if measured.column == reason.measured.column:
                found[school] = measured.count
    school = max(found, key=lambda key: found[key], default="")
    is_most = school and 2 * found[school] >= reason.measured.count
    return (school, found[school]) if is_most else None


def _school(school: str, names: SchoolNames) -> str:
    return names.get(school) or f"school {school}"


def _capitalized(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"
