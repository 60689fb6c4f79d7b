"""Home's one sentence: did last night work, and who acts next; a pure reading of what the district's updates tell."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from rollbook.updates.history import LastNight
from rollbook.updates.moves import State
from rollbook.updates.progress import stalled_since
from rollbook.updates.report import Report
from rollbook.updates.running import Seen
from rollbook.updates.wording import counted, moment, percent, updates

QUIET = timedelta(hours=36)  # a nightly file that did not come is missed
EVENING, MORNING = 18, 7
MEND = "Mend them in the student information system; the next file will bring them."


@dataclass(frozen=True)
class Sentence:
    """What to say, how it feels (good, warn, bad, running, quiet), and the one next step: its words and address."""

    text: str
    tone: str
    step: str = ""
    name: str = ""
    number: int | None = None


@dataclass(frozen=True)
class Scene:
    """What the sentence is about."""

    night: LastNight
    running: Report | None
    last: Report | None
    seen: Seen
    now: datetime
    time_zone: str


def sentence(scene: Scene) -> Sentence:
    """The most important thing first: what runs, what waits, what went wrong, what is missing, that all is well."""
    if scene.running:
        return _running(scene, scene.running)
    if scene.night.waiting:
        return _waiting(scene)
    if scene.last is None:
        return Sentence("No student file has come yet.", "quiet", "Begin with a template", "students-update")
    return _ENDED[scene.last.state](scene, scene.last)


def whose(at: datetime, now: datetime, time_zone: str) -> str:
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


def _running(scene: Scene, report: Report) -> Sentence:
    if not scene.seen.alive:
        return _without_worker(scene, report.number)
    if since := stalled_since(report, scene.now):
        at = moment(since, scene.now, scene.time_zone)
        text = f"Update {report.number} has stood still since {at}. It goes on by itself; if not, tell the operator."
        return Sentence(text, "warn", "Look at it", "update", report.number)
    if report.state is State.CHECKING:
        how = f"{report.read:,} of {counted(report.rows, 'row')} are checked ({percent(report.read, report.rows)})"
    else:
        how = f"{report.changed:,} of {counted(report.staged, 'student')} are updated"
    return Sentence(f"Update {report.number} is running: {how}.", "running", "Watch it", "update", report.number)


def _waiting(scene: Scene) -> Sentence:
    number = scene.night.waiting[0]
    if not scene.seen.alive:
        return _without_worker(scene, number)
    return Sentence(
        f"{updates(scene.night.waiting).capitalize()} will begin in a moment.", "running", "Watch it", "update", number
    )


def _without_worker(scene: Scene, number: int) -> Sentence:
    at = scene.seen.at
    since = f"since {moment(at, scene.now, scene.time_zone)}" if at else "yet"
    text = f"Update {number} waits, as no worker has been seen {since}. Nothing is lost. Tell the operator."
    return Sentence(text, "bad", "Look at it", "update", number)


def _completed(scene: Scene, last: Report) -> Sentence:
    name = whose(last.received_at, scene.now, scene.time_zone)
    if last.rejected:
        rows = f"{last.rejected:,} of {counted(last.rows, 'row')} {'was' if last.rejected == 1 else 'were'} rejected"
        return Sentence(f"{name} went in, but {rows}. {MEND}", "warn", "See what is wrong", "update", last.number)
    received = scene.night.received_at
    if received and scene.now - received > QUIET:
        there = received.astimezone(ZoneInfo(scene.time_zone))
        text = f"Nothing has come in since {day(there)}. Is the nightly script still running?"
        return Sentence(text, "warn", "Look at the scripts", "automation")
    changed = f"{last.changed:,} changed" if last.changed else "none had changed"
    return Sentence(f"{name} went in: {counted(last.rows, 'student')}, {changed}. There is nothing to do.", "good")


def _canceled(scene: Scene, last: Report) -> Sentence:
    name = whose(last.received_at, scene.now, scene.time_zone)
    stay = f"{counted(last.changed, 'student')} {'stays' if last.changed == 1 else 'stay'} updated"
    left = f"{counted(last.not_processed, 'row')} {'was' if last.not_processed == 1 else 'were'} not processed"
    text = f"{name} was canceled: {stay}, {left}. To apply the rest, send the file again."
    return Sentence(text, "warn", "Look at it", "update", last.number)


def _refused(scene: Scene, last: Report) -> Sentence:
    name = whose(last.received_at, scene.now, scene.time_zone)
    why = f" ({last.refusal.kind.title[:1].lower()}{last.refusal.kind.title[1:]})" if last.refusal else ""
    text = f"{name} was refused{why}, and nothing was changed. Mend the file and send it again."
    return Sentence(text, "bad", "See what is wrong", "update", last.number)


def _failed(scene: Scene, last: Report) -> Sentence:
    name = whose(last.received_at, scene.now, scene.time_zone)
    text = (
        f"{name} failed because of an error of ours, reference {last.reference}. "
        "Send the file again; if it fails again, tell the operator the reference."
    )
    return Sentence(text, "bad", "Look at it", "update", last.number)


_ENDED: Mapping[State, Callable[[Scene, Report], Sentence]] = {
    State.COMPLETED: _completed,
    State.CANCELED: _canceled,
    State.REFUSED: _refused,
    State.FAILED: _failed,
}
