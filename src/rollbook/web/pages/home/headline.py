"""Choose the sentence on top of Home: how the latest update went, and what to do next.

This is computed from reports alone, without the database.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from rollbook.text import count_of, format_datetime, name_updates, was_or_were
from rollbook.updates.missing_files import FileStatus
from rollbook.updates.planning.reason_words import first_reason
from rollbook.updates.reporting.overview import MISSING_AFTER
from rollbook.updates.reporting.remarks import next_step, remarks
from rollbook.updates.reporting.report import Report
from rollbook.updates.reporting.state_words import (
    HELD,
    NOTHING_APPLIED,
    RUNNING,
    SCHEDULED,
    WAITING,
    badge_words,
    discard_cause,
    result_sentence,
)
from rollbook.updates.reporting.status_line import StatusContext, cancellation_summary
from rollbook.updates.state_machine import State
from rollbook.web.pages.updates.progress_sentences import stalled_warning, without_worker

EVENING, MORNING = 18, 7  # hours of the day between which an update is last night's
FIX_HINT = "Fix them in your SIS; they’ll come through with the next file."


@dataclass(frozen=True)
class Headline:
    """The sentence with its badge and button.

    Attributes:
        text: the sentence.
        state: the word of the badge; empty for none.
        step: the label of the button for the next step; empty for none.
        name: the name of the page that the button opens.
        number: the update that the page is about, if it is about one.
    """

    text: str
    state: str = ""
    step: str = ""
    name: str = ""
    number: int | None = None


@dataclass(frozen=True)
class HomeState:
    """The updates that the sentence can be about.

    Attributes:
        live: the update in progress, or else the first in the queue.
        waiting: the numbers of the updates in the queue.
        last: the update that ended last.
        received_at: when the latest file arrived.
        files: which files are expected; None if the district hasn't set that.
        held: the update that is held; None if there is none.
        may_approve: whether the member may approve it.
        deciders: the names of those who may.
    """

    live: Report | None = None
    waiting: tuple[int, ...] = ()
    last: Report | None = None
    received_at: datetime | None = None
    files: FileStatus | None = None
    held: Report | None = None
    may_approve: bool = False
    deciders: tuple[str, ...] = ()


def headline(home: HomeState, context: StatusContext) -> Headline:
    """Return the most important sentence: what is held, progress, problems, or that all is well."""
    if home.held:
        return _held(home, home.held)
    if home.live:
        return _unfinished(home, home.live, context)
    if home.last is None:
        text = "No student file has arrived yet."
        return Headline(text, "", "Upload file", "students-update")
    if home.last.undoes is not None:
        return _undo(home.last)
    return _ENDED[home.last.state](home, home.last, context)


def update_label(at: datetime, now: datetime, time_zone: str) -> str:
    """Return what people call an update received then: ``Last night’s update``."""
    zone = ZoneInfo(time_zone)
    received, today = at.astimezone(zone), now.astimezone(zone)
    days = (today.date() - received.date()).days
    is_early_today = days == 0 and received.hour < MORNING
    is_late_yesterday = days == 1 and received.hour >= EVENING
    if is_early_today or is_late_yesterday:
        return "Last night’s update"
    if days < 2:
        return "Today’s update" if days < 1 else "Yesterday’s update"
    return f"The update from {day_name(received)}"


def day_name(at: datetime) -> str:
    """Return the day with its weekday: ``Friday, November 20``."""
    return f"{at:%A, %B} {at.day}"


def _held(home: HomeState, held: Report) -> Headline:
    """Return the sentence about an update that is held, and who acts next."""
    plan = held.plan
    why = first_reason(plan.reasons) if plan and plan.reasons else "a limit would be exceeded"
    until = ""
    if plan and plan.discard_at:
        until = f" by {format_datetime(plan.discard_at, held.time_zone)}"
    if home.may_approve:
        action = f"Approve or discard it{until}."
    else:
        action = f"{_decider(home.deciders)} can approve it{until}."
    text = f"Update {held.number} is held: {why}. {action}"
    return Headline(text, HELD.word, "Review update", "update", held.number)


def _decider(names: tuple[str, ...]) -> str:
    if not names:
        return "Nobody in your district"
    return names[0] if len(names) == 1 else f"{names[0]} or {count_of(len(names) - 1, 'other')}"


def _unfinished(home: HomeState, live: Report, context: StatusContext) -> Headline:
    """Return the sentence about an unfinished update; its progress is shown below it."""
    step = "View progress"
    if not context.is_worker_alive:
        text = f"Update {live.number} is waiting. {without_worker(live, context)}"
        return Headline(text, WAITING.word, "View update", "update", live.number)
    if live.plan and live.plan.is_scheduled and live.is_waiting:
        at = format_datetime(live.plan.apply_at, live.time_zone)
        text = (
            f"Update {live.number} is checked, and will be applied at {at}, when quiet hours end."
        )
        return Headline(text, SCHEDULED.word, "View update", "update", live.number)
    if live.state is State.RECEIVED or live.is_waiting:
        text = f"{name_updates(home.waiting).capitalize()} will start in a moment."
        return Headline(text, WAITING.word, step, "update", live.number)
    if stalled := stalled_warning(live, context):
        text = f"Update {live.number} is running. {stalled}"
        return Headline(text, RUNNING.word, "View update", "update", live.number)
    queue = f", and {name_updates(home.waiting)} will follow" if home.waiting else ""
    text = f"Update {live.number} is running{queue}."
    return Headline(text, RUNNING.word, step, "update", live.number)


def _undo(last: Report) -> Headline:
    """Return how the undo of an update ended, if nothing else was ever sent by a script."""
    text = result_sentence(last)
    return Headline(text, badge_words(last).word, "View update", "update", last.number)


def _completed(home: HomeState, last: Report, context: StatusContext) -> Headline:
    label = update_label(last.received_at, context.now, last.time_zone)
    if last.rejected:
        return _completed_with_errors(label, last)
    received_at = home.received_at
    if received_at and not home.files and context.now - received_at > MISSING_AFTER:
        received = received_at.astimezone(ZoneInfo(last.time_zone))
        text = (
            f"No file has arrived since {day_name(received)}. Is the nightly script still running?"
        )
        return Headline(text, "", "View scripts", "automation")
    changed = f"{last.changed:,}" if last.changed else "none"
    students = count_of(last.rows, "student")
    deactivated = f", {last.deactivated:,} deactivated" if last.deactivated else ""
    text = f"{label} finished: {changed} of {students} changed{deactivated}. {next_step(last)}"
    if any(remarks(last)):
        return Headline(text, badge_words(last).word, "View update", "update", last.number)
    return Headline(text, badge_words(last).word)


def _completed_with_errors(label: str, last: Report) -> Headline:
    state = badge_words(last).word
    rows = count_of(last.rows, "row")
    if state == NOTHING_APPLIED.word:
        text = f"{label} finished, but nothing was applied: "
        text += f"{last.rejected:,} of {rows} had errors. {FIX_HINT}"
    else:
        were = was_or_were(last.rejected)
        text = f"{label} finished, but {last.rejected:,} of {rows} {were} rejected. {FIX_HINT}"
    return Headline(text, state, "View errors", "update", last.number)


def _canceled(home: HomeState, last: Report, context: StatusContext) -> Headline:
    label = update_label(last.received_at, context.now, last.time_zone)
    summary = cancellation_summary(last)
    text = f"{label} was canceled: {summary}. To apply the rest, send the file again."
    return Headline(text, badge_words(last).word, "View update", "update", last.number)


def _discarded(home: HomeState, last: Report, context: StatusContext) -> Headline:
    label = update_label(last.received_at, context.now, last.time_zone)
    cause = discard_cause(last.plan) if last.plan else ""
    text = f"{label} was discarded{cause}, and nothing was changed."
    return Headline(text, badge_words(last).word, "View update", "update", last.number)


def _refused(home: HomeState, last: Report, context: StatusContext) -> Headline:
    label = update_label(last.received_at, context.now, last.time_zone)
    reason = ""
    if last.refusal:
        title = last.refusal.definition.title
        reason = f" ({title[:1].lower()}{title[1:]})"
    text = (
        f"{label} was not accepted{reason}, and nothing was changed. "
        "Fix the file and send it again."
    )
    return Headline(text, badge_words(last).word, "View errors", "update", last.number)


def _failed(home: HomeState, last: Report, context: StatusContext) -> Headline:
    label = update_label(last.received_at, context.now, last.time_zone)
    text = (
        f"{label} failed because of a problem on our side, reference {last.reference}. "
        "Send the file again; if it fails again, "
        "give your Rollbook administrator the reference."
    )
    return Headline(text, badge_words(last).word, "View update", "update", last.number)


_ENDED: Mapping[State, Callable[[HomeState, Report, StatusContext], Headline]] = {
    State.COMPLETED: _completed,
    State.CANCELED: _canceled,
    State.REFUSED: _refused,
    State.FAILED: _failed,
    State.DISCARDED: _discarded,
}
