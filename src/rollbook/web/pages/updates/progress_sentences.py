"""Word the progress of an unfinished update for pages."""

from rollbook.text import count_of, format_percent, format_short_time, name_updates
from rollbook.updates.reporting.progress import stalled_since
from rollbook.updates.reporting.report import Report
from rollbook.updates.reporting.status_line import StatusContext
from rollbook.updates.state_machine import State


def progress_sentence(report: Report, context: StatusContext) -> str:
    """Return what an unfinished update is doing, and what to do if it isn't moving."""
    if not context.is_worker_alive:
        return f"Waiting. {without_worker(report, context)}"
    if report.is_waiting:
        return f"{_decision(report, context)}. {_queue(context, 'Updating')}"
    if report.state is State.RECEIVED:
        return _queue(context, "Checking")
    counts = _counts(report)
    stalled = stalled_warning(report, context)
    return f"{counts} {stalled}" if stalled else counts


def without_worker(report: Report, context: StatusContext) -> str:
    """Return what to tell people while no worker is running."""
    seen_at = context.worker_seen_at
    since = (
        f"since {format_short_time(seen_at, context.now, report.time_zone)}" if seen_at else "yet"
    )
    return (
        f"No update has been processed {since}. "
        "Nothing is lost. Please tell your Rollbook administrator."
    )


def stalled_warning(report: Report, context: StatusContext) -> str:
    """Return since when the update has not progressed and what to do; empty if it progresses."""
    stalled_at = stalled_since(report, context.now)
    if stalled_at is None:
        return ""
    return (
        f"No progress since {format_short_time(stalled_at, context.now, report.time_zone)}. "
        "It resumes on its own; if it doesn't, tell your Rollbook administrator."
    )


def _queue(context: StatusContext, next_phase: str) -> str:
    if context.ahead:
        return f"Queued behind {name_updates(context.ahead)}."
    return f"Queued. {next_phase} starts in a moment."


def _decision(report: Report, context: StatusContext) -> str:
    """Return who approved the plan, and when; for one that nobody has approved, that it waits."""
    plan = report.plan
    if plan is None or plan.decided_at is None:
        return "Waiting for a decision"
    by = plan.decided_by.name if plan.decided_by else "your Rollbook administrator"
    at = format_short_time(plan.decided_at, context.now, report.time_zone)
    return f"Approved by {by} at {at}"


def _counts(report: Report) -> str:
    if report.state is State.APPLYING:
        return (
            f"Updating: {report.changed:,} of {count_of(report.staged, 'changed student')}; "
            f"{report.unchanged:,} unchanged, {report.rejected:,} rejected."
        )
    noun = "row" if report.undoes is None else "student"
    share = format_percent(report.read, report.rows).replace(" ", "")
    return f"Checking: {report.read:,} of {count_of(report.rows, noun)} read ({share})."
