"""Format the status of an update as one line that starts with the verdict."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from rollbook.text import (
    count_of,
    format_duration,
    format_percent,
    format_time,
    name_updates,
    was_or_were,
)
from rollbook.updates.planning.reason_words import first_reason, plan_sentence
from rollbook.updates.reporting import undo_words
from rollbook.updates.reporting.progress import seconds_left, stalled_since
from rollbook.updates.reporting.report import Report
from rollbook.updates.reporting.state_words import APPLYING, CHECKING, discard_cause, words_of
from rollbook.updates.state_machine import State

VERDICT_MEANINGS: Mapping[str, tuple[str, str]] = {
    "OK": ("start, cancel, approve, discard", "accepted; canceled; approved; discarded"),
    "RUNNING": (
        "status",
        "queued, checking or updating, with the progress and an estimate of the time left",
    ),
    "COMPLETED": ("status", "finished; no row was rejected"),
    "COMPLETED WITH ERRORS": (
        "status",
        "finished, but rows were rejected; the linked page lists them",
    ),
    "CANCELED": (
        "status",
        "canceled, with the number of students updated and of rows not processed",
    ),
    "CHECKED": (
        "status",
        "a dry run has ended: what the file would change; nothing is applied until a person "
        "applies it",
    ),
    "HELD": (
        "start, status",
        "the file would change more than a limit allows; nothing is applied until a person "
        "approves it",
    ),
    "DISCARDED": ("status", "a plan was not approved; nothing was applied"),
    "REFUSED": ("start, status", "the file could not be accepted; no student was changed"),
    "FAILED": ("status", "a problem on our side, with a reference; upload the file again"),
    "NONE": ("status", "there is no such update"),
    "NOTHING TO CANCEL": ("cancel", "there is no unfinished update to cancel"),
    "ERROR": (
        "start, status, cancel, approve, discard",
        "the request was rejected; the error code that follows is in the table below",
    ),
}
"""The commands that return each verdict, and what it means."""


@dataclass(frozen=True)
class StatusContext:
    """What a status line depends on besides the report.

    Attributes:
        now: The current time.
        url: The base URL of the pages.
        is_worker_alive: Whether a worker has a current heartbeat.
        worker_seen_at: The last heartbeat of any worker.
        ahead: The numbers of the updates that will be processed first.
    """

    now: datetime
    url: str
    is_worker_alive: bool = True
    worker_seen_at: datetime | None = None
    ahead: tuple[int, ...] = ()


@dataclass(frozen=True)
class StatusLine:
    """A status line: ``word`` is for scripts to check, ``about`` is the rest of the line."""

    word: str
    description: str

    def __str__(self) -> str:
        return f"{self.word} {self.description}"


def verdict(report: Report, context: StatusContext) -> StatusLine:
    """Return the status line of an update."""
    return VERDICTS[report.state](report, context)


def link(report: Report, url: str) -> str:
    """Return the URL of the update's page."""
    return f"{url}/updates/{report.number}"


def without_worker(report: Report, context: StatusContext) -> str:
    """Return the description of an update while no worker is running."""
    at = context.worker_seen_at
    since = f"since {format_time(at, context.now, report.time_zone)}" if at else "yet"
    status = f"waiting; no worker has been seen {since}"
    return f"{status}; nothing is lost; tell your Rollbook administrator"


def cancellation_summary(report: Report) -> str:
    """Return how many students a canceled update has changed, and how many rows are left."""
    stay = "stays" if report.changed == 1 else "stay"
    were = was_or_were(report.not_processed)
    updated = f"{count_of(report.changed, 'student')} {stay} updated"
    if report.deactivated:
        updated += f", {report.deactivated:,} deactivated"
    return f"{updated}, {report.not_processed:,} {were} not processed"


def _received(report: Report, context: StatusContext) -> StatusLine:
    if not context.is_worker_alive:
        return _line(report, without_worker(report, context))
    if context.ahead:
        return _line(report, f"waiting for {name_updates(context.ahead)}")
    return _line(report, _checked(report))


def _working(progress: Callable[[Report], str]) -> Callable[[Report, StatusContext], StatusLine]:
    def line(report: Report, context: StatusContext) -> StatusLine:
        if not context.is_worker_alive:
            return _line(report, without_worker(report, context))
        if stalled := stalled_since(report, context.now):
            since = format_time(stalled, context.now, report.time_zone)
            stall = f"stalled since {since}, will resume automatically"
            return _line(report, f"{stall}; {progress(report)}")
        timing = f"{_started(report, context)}{_left(report, context)}"
        return _line(report, f"{progress(report)}{timing}")

    return line


def _line(report: Report, about: str) -> StatusLine:
    return StatusLine(words_of(report).verdict, f"update {report.number}: {about}")


def _checked(report: Report) -> str:
    share = format_percent(report.read, report.rows)
    return f"{CHECKING.activity}, {report.read:,} of {count_of(report.rows, 'row')} read ({share})"


def _applied(report: Report) -> str:
    total = count_of(report.staged, "changed student")
    progress = f"{APPLYING.activity}, {report.changed:,} of {total}"
    others = f"{report.unchanged:,} unchanged, {report.rejected:,} rejected"
    return f"{progress}; {others}{_deactivated(report)}"


def _started(report: Report, context: StatusContext) -> str:
    if not report.started_at:
        return ""
    return f", started {format_time(report.started_at, context.now, report.time_zone)}"


def _left(report: Report, context: StatusContext) -> str:
    left = seconds_left(report, context.now)
    return f", about {approximate(left)} left" if left else ""


def approximate(seconds: int) -> str:
    """Format an estimated duration without fractions of a second: ``9 s``."""
    return f"{seconds} s" if seconds < 60 else format_duration(timedelta(seconds=seconds))


def _checked_plan(report: Report, context: StatusContext) -> StatusLine:
    if waiting := _approved(report, context):
        return waiting
    sentence = plan_sentence if report.undoes is None else undo_words.plan_sentence
    does = sentence(report.plan.summary.district) if report.plan else ""
    return _line(report, f"{does}; apply or discard it at {link(report, context.url)}")


def _held(report: Report, context: StatusContext) -> StatusLine:
    if waiting := _approved(report, context):
        return waiting
    plan = report.plan
    why = first_reason(plan.reasons) if plan and plan.reasons else "a limit would be exceeded"
    return _line(report, f"{why}; approve or discard it at {link(report, context.url)}")


def _scheduled(report: Report, context: StatusContext) -> StatusLine:
    if waiting := _approved(report, context):
        return waiting
    plan = report.plan
    if plan is None or plan.apply_at is None:
        return _line(report, "checked; it waits for its time")
    at = format_time(plan.apply_at, context.now, report.time_zone)
    changed = plan.summary.district.changed + plan.summary.district.added
    will = f"{count_of(changed, 'student')} will change at {at}"
    return _line(report, f"checked; {will}, when quiet hours end")


def _approved(report: Report, context: StatusContext) -> StatusLine | None:
    """Return the line of a plan that was approved and is about to be applied; None otherwise."""
    plan = report.plan
    if plan is None or plan.decided_at is None:
        return None
    at = format_time(plan.decided_at, context.now, report.time_zone)
    waiting = f"approved at {at}"
    if context.ahead:
        waiting += f", waiting for {name_updates(context.ahead)}"
    return StatusLine(APPLYING.verdict, f"update {report.number}: {waiting}")


def _discarded(report: Report, context: StatusContext) -> StatusLine:
    cause = discard_cause(report.plan) if report.plan else ""
    return _line(report, f"nothing was applied{f'; discarded{cause}' if cause else ''}")


def _completed(report: Report, context: StatusContext) -> StatusLine:
    if report.rejected:
        return _line(report, f"{_counts(report)}; see {link(report, context.url)}")
    return _line(report, f"{_counts(report)}{_took(report)}")


def _canceled(report: Report, context: StatusContext) -> StatusLine:
    return _line(report, f"{_counts(report)}, {report.not_processed:,} not processed")


def _refused(report: Report, context: StatusContext) -> StatusLine:
    if report.refusal is None:
        return _line(report, f"see {link(report, context.url)}")
    return _line(report, f"{report.refusal.code}: {report.refusal.located_message}")


def _failed(report: Report, context: StatusContext) -> StatusLine:
    done = report.changed
    updated = f"{count_of(done, 'student')} {'is' if done == 1 else 'are'} updated"
    error = f"internal error, reference {report.reference}"
    return _line(report, f"{error}: {updated}; upload the file again")


def _counts(report: Report) -> str:
    added = f"{report.added:,} added, " if report.added else ""
    return (
        f"{count_of(report.rows, 'student')}: {report.updated:,} updated, {added}"
        f"{report.unchanged:,} unchanged, {report.rejected:,} rejected{_deactivated(report)}"
    )


def _deactivated(report: Report) -> str:
    return f", {report.deactivated:,} deactivated" if report.deactivated else ""


def _took(report: Report) -> str:
    return f", in {format_duration(report.took)}" if report.took is not None else ""


VERDICTS: Mapping[State, Callable[[Report, StatusContext], StatusLine]] = {
    State.RECEIVED: _received,
    State.CHECKING: _working(_checked),
    State.CHECKED: _checked_plan,
    State.HELD: _held,
    State.SCHEDULED: _scheduled,
    State.APPLYING: _working(_applied),
    State.COMPLETED: _completed,
    State.CANCELED: _canceled,
    State.REFUSED: _refused,
    State.FAILED: _failed,
    State.DISCARDED: _discarded,
}
