"""Home's one sentence: did last night work, and who acts next; a pure reading of what the district's updates tell."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from rollbook.text import count_of, format_time, updates
from rollbook.updates.reporting.progress import stalled_since
from rollbook.updates.reporting.report import Report
from rollbook.updates.reporting.state_words import RUNNING, WAITING, words_of
from rollbook.updates.reporting.status_line import (
    StatusContext,
    cancellation_summary,
    without_worker,
)
from rollbook.updates.state_machine import State

MISSING_AFTER = timedelta(hours=36)  # a nightly file that did not come is missed
EVENING, MORNING = 18, 7
FIX_HINT = "Mend them in the student information system; the next file will bring them."


@dataclass(frozen=True)
class Headline:
    """What to say, the state that it is about if there is one, and the one next step: its words and address."""

    text: str
    state: str = ""
    step: str = ""
    name: str = ""
    number: int | None = None


@dataclass(frozen=True)
class HomeState:
    """What there is to say something about: the update in work, those that wait, and the one that ended last.

    ``live`` is the one in work, or else the first that waits; ``received_at`` is when the newest file came in.
    """

    live: Report | None = None
    waiting: tuple[int, ...] = ()
    last: Report | None = None
    received_at: datetime | None = None


def headline(night: HomeState, scene: StatusContext) -> Headline:
    """The most important thing first: what runs, what waits, what went wrong, what is missing, that all is well."""
    if night.live:
        return _living(night, night.live, scene)
    if night.last is None:
        return Headline(
            "No student file has come yet.", "", "Begin with a template", "students-update"
        )
    return _ENDED[night.last.state](night, night.last, scene)


def update_label(at: datetime, now: datetime, time_zone: str) -> str:
    """How people call an update that came in then: last night's, today's, yesterday's, or by its day."""
    zone = ZoneInfo(time_zone)
    there, today = at.astimezone(zone), now.astimezone(zone)
    days = (today.date() - there.date()).days
    at_night = (days == 0 and there.hour < MORNING) or (days == 1 and there.hour >= EVENING)
    if at_night:
        return "Last night’s update"
    if days < 2:
        return "Today’s update" if days < 1 else "Yesterday’s update"
    return f"The update of {day(there)}"


def day(there: datetime) -> str:
    """``Friday, 20 November``."""
    return f"{there:%A}, {there.day} {there:%B}"


def _living(night: HomeState, live: Report, scene: StatusContext) -> Headline:
    """How far it is stands below the sentence, where it is kept right."""
    if not scene.worker_alive:
        text = f"Update {live.number} is {without_worker(live, scene)}."
        return Headline(text, WAITING.word, "Look at it", "update", live.number)
    if live.state is State.RECEIVED:
        text = f"{updates(night.waiting).capitalize()} will begin in a moment."
        return Headline(text, WAITING.word, "Watch it", "update", live.number)
    if since := stalled_since(live, scene.now):
        at = format_time(since, scene.now, live.time_zone)
        text = f"Update {live.number} has stood still since {at}. It goes on by itself; if not, tell the operator."
        return Headline(text, RUNNING.word, "Look at it", "update", live.number)
    behind = f", and {updates(night.waiting)} will follow" if night.waiting else ""
    text = f"Update {live.number} is running{behind}."
    return Headline(text, RUNNING.word, "Watch it", "update", live.number)


def _completed(night: HomeState, last: Report, scene: StatusContext) -> Headline:
    name = update_label(last.received_at, scene.now, last.time_zone)
    if last.rejected:
        rows = f"{last.rejected:,} of {count_of(last.rows, 'row')} {'was' if last.rejected == 1 else 'were'} rejected"
        text = f"{name} went in, but {rows}. {FIX_HINT}"
        return Headline(text, words_of(last).word, "See what is wrong", "update", last.number)
    if night.received_at and scene.now - night.received_at > MISSING_AFTER:
        there = night.received_at.astimezone(ZoneInfo(last.time_zone))
        text = f"Nothing has come in since {day(there)}. Is the nightly script still running?"
        return Headline(text, "", "Look at the scripts", "automation")
    changed = f"{last.changed:,} changed" if last.changed else "none had changed"
    text = f"{name} went in: {count_of(last.rows, 'student')}, {changed}. There is nothing to do."
    return Headline(text, words_of(last).word)


def _canceled(night: HomeState, last: Report, scene: StatusContext) -> Headline:
    name = update_label(last.received_at, scene.now, last.time_zone)
    text = f"{name} was canceled: {cancellation_summary(last)}. To apply the rest, send the file again."
    return Headline(text, words_of(last).word, "Look at it", "update", last.number)


def _refused(night: HomeState, last: Report, scene: StatusContext) -> Headline:
    name = update_label(last.received_at, scene.now, last.time_zone)
    why = (
        f" ({last.refusal.definition.title[:1].lower()}{last.refusal.definition.title[1:]})"
        if last.refusal
        else ""
    )
    text = f"{name} was refused{why}, and nothing was changed. Mend the file and send it again."
    return Headline(text, words_of(last).word, "See what is wrong", "update", last.number)


def _failed(night: HomeState, last: Report, scene: StatusContext) -> Headline:
    name = update_label(last.received_at, scene.now, last.time_zone)
    text = (
        f"{name} failed because of an error of ours, reference {last.reference}. "
        "Send the file again; if it fails again, tell the operator the reference."
    )
    return Headline(text, words_of(last).word, "Look at it", "update", last.number)


_ENDED: Mapping[State, Callable[[HomeState, Report, StatusContext], Headline]] = {
    State.COMPLETED: _completed,
    State.CANCELED: _canceled,
    State.REFUSED: _refused,
    State.FAILED: _failed,
}
