"""Word an update that undoes another one: what its plan does, and how it ended."""

from collections.abc import Iterator, Mapping

from rollbook.text import count_of, format_datetime, format_number, was_or_were
from rollbook.updates.planning.summary import Counts
from rollbook.updates.reporting.report import Report
from rollbook.updates.state_machine import State

NEXT_FILE = "The next file from your SIS applies its values again unless they're fixed there."

_PLAN = (
    "{name} would undo update {undoes}, and nothing was applied: {plan}. Apply or discard it by "
    "{discard_at}; after that, it is discarded."
)
_COMPLETED = f"{{name}} undid update {{undoes}}: {{set_back}}.{{left}}{{check}} {NEXT_FILE}"
_CANCELED = (
    "{name}, which undoes update {undoes}, was canceled: {set_back}, and {not_processed} not "
    "processed. To set back the rest, undo update {undoes} again."
)
_FAILED = (
    "{name}, which undoes update {undoes}, failed because of a problem on our side (reference "
    "{reference}): {set_back}. Undo update {undoes} again. If it fails again, give your Rollbook "
    "administrator the reference."
)
_DISCARDED = "{name}, which would undo update {undoes}, was discarded{cause}. Nothing was set back."
_SENTENCES: Mapping[State, str] = {
    State.CHECKED: _PLAN,
    State.HELD: _PLAN,
    State.COMPLETED: _COMPLETED,
    State.CANCELED: _CANCELED,
    State.FAILED: _FAILED,
    State.DISCARDED: _DISCARDED,
}
_OUTCOMES: Mapping[State, str] = {
    State.CHECKED: "Undo planned, nothing applied yet",
    State.HELD: "Undo planned, nothing applied yet",
    State.DISCARDED: "Undo discarded, nothing applied",
}
_ENDED_EARLY: Mapping[State, str] = {
    State.CANCELED: "Undo canceled",
    State.FAILED: "Undo failed",
}


def result_sentence(report: Report, cause: str) -> str:
    """Return how an undo ended and what to do next; nothing while it is unfinished.

    Args:
        report: The report of the update that undoes another one.
        cause: Why or by whom it was discarded, after ``discarded``; may be empty.
    """
    plan = report.plan
    discard_at = plan.discard_at if plan else None
    check = f" Check {count_of(report.warnings, 'warning')}." if report.warnings else ""
    return _SENTENCES.get(report.state, "").format(
        name=f"Student update {report.number} for {report.district}",
        undoes=report.undoes,
        plan=plan_sentence(plan.summary.district) if plan else "",
        discard_at=format_datetime(discard_at, report.time_zone) if discard_at else "any time",
        set_back=_set_back(report),
        left=_left(report.rejected),
        check=check,
        not_processed=f"{format_number(report.not_processed)} {was_or_were(report.not_processed)}",
        reference=report.reference,
        cause=cause,
    )


def outcome_of(report: Report) -> str:
    """Return what became of an undo in a few words: ``290 students set back``."""
    if report.state in _OUTCOMES:
        return _OUTCOMES[report.state]
    return ", ".join(_outcomes(report))


def plan_sentence(counts: Counts) -> str:
    """Return what a plan would do: ``290 students would be set back, 12 deactivated``."""
    set_back = counts.changed - counts.deactivated
    parts = []
    if set_back:
        parts.append(f"{count_of(set_back, 'student')} would be set back")
    if counts.deactivated:
        noun = format_number(counts.deactivated)
        if not set_back:
            noun = count_of(counts.deactivated, "student")
        parts.append(f"{noun} would be deactivated")
    if counts.rejected:
        parts.append(f"{format_number(counts.rejected)} can't be set back")
    return ", ".join(parts) or "no student would change"


def effects(counts: Counts) -> Iterator[str]:
    """Yield what applying a plan does: ``set back 290``, ``deactivate 12``."""
    set_back = counts.changed - counts.deactivated
    if set_back:
        yield f"set back {count_of(set_back, 'student')}"
    if counts.deactivated:
        yield f"deactivate {format_number(counts.deactivated)}"


def _outcomes(report: Report) -> Iterator[str]:
    if report.state in _ENDED_EARLY:
        yield _ENDED_EARLY[report.state]
    yield f"{count_of(report.updated, 'student')} set back"
    if report.rejected:
        yield f"{format_number(report.rejected)} left as they are"
    if report.not_processed:
        yield f"{format_number(report.not_processed)} not processed"


def _set_back(report: Report) -> str:
    done = f"{format_number(report.updated)} of {count_of(report.rows, 'student')}"
    return f"{done} {was_or_were(report.updated)} set back"


def _left(count: int) -> str:
    if not count:
        return ""
    stay = "stays as it is" if count == 1 else "stay as they are"
    return f" {format_number(count)} couldn't be set back and {stay}."
