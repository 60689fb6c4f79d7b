"""How an update stands, in one line whose first word is the verdict: a pure reading of its report."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from rollbook.text import count_of, duration, format_time, percent, updates
from rollbook.updates.reporting.progress import seconds_left, stalled_since
from rollbook.updates.reporting.report import Report
from rollbook.updates.reporting.state_words import APPLYING, CHECKING, words_of
from rollbook.updates.state_machine import State

VERDICT_MEANINGS: Mapping[str, tuple[str, str]] = {
    "OK": ("start, cancel", "accepted; canceled"),
    "RUNNING": (
        "status",
        "waiting, checking or updating; with how much is done and about how long it will take",
    ),
    "COMPLETED": ("status", "done, every row"),
    "COMPLETED WITH ERRORS": ("status", "done; some rows were rejected, and the link says why"),
    "CANCELED": ("status", "stopped; how many students were updated, and how many not processed"),
    "REFUSED": ("start, status", "the file as a whole cannot be accepted; no student was changed"),
    "FAILED": ("status", "a fault of ours, with a reference for the operator; send the file again"),
    "NONE": ("status", "there is no update to tell of"),
    "NOTHING TO CANCEL": ("cancel", "there is no update that could be stopped"),
    "ERROR": (
        "start, status, cancel",
        "something is wrong with the call; the word behind it is in the table below",
    ),
}
"""Of each verdict the commands that answer with it, and what it means."""


@dataclass(frozen=True)
class StatusContext:
    """What the report does not know: the time, the pages' address, whether a worker lives, and who goes first."""

    now: datetime
    url: str
    worker_alive: bool = True
    worker_seen_at: datetime | None = None
    ahead: tuple[int, ...] = ()


@dataclass(frozen=True)
class StatusLine:
    """``word`` is what a script looks for; ``about`` is the rest of the line."""

    word: str
    about: str

    def __str__(self) -> str:
        return f"{self.word} {self.about}"


def verdict(report: Report, scene: StatusContext) -> StatusLine:
    """The line for an update in whatever state."""
    return VERDICTS[report.state](report, scene)


def link(report: Report, url: str) -> str:
    """Where people read all of it."""
    return f"{url}/updates/{report.number}"


def without_worker(report: Report, scene: StatusContext) -> str:
    """What can be said while nobody is there to do the work."""
    at = scene.worker_seen_at
    since = f"since {format_time(at, scene.now, report.time_zone)}" if at else "yet"
    return f"waiting; no worker has been seen {since}; nothing is lost, tell the operator"


def cancellation_summary(report: Report) -> str:
    """What a cancellation left done and undone."""
    kept = f"{count_of(report.changed, 'student')} {'stays' if report.changed == 1 else 'stay'} updated"
    return f"{kept}, {report.not_processed:,} {'was' if report.not_processed == 1 else 'were'} not processed"


def _received(report: Report, scene: StatusContext) -> StatusLine:
    if not scene.worker_alive:
        return _line(report, without_worker(report, scene))
    if scene.ahead:
        return _line(report, f"waiting for {updates(scene.ahead)}")
    return _line(report, _checked(report))


def _working(progress: Callable[[Report], str]) -> Callable[[Report, StatusContext], StatusLine]:
    def line(report: Report, scene: StatusContext) -> StatusLine:
        if not scene.worker_alive:
            return _line(report, without_worker(report, scene))
        if stalled := stalled_since(report, scene.now):
            since = format_time(stalled, scene.now, report.time_zone)
            return _line(report, f"stalled since {since}, goes on by itself; {progress(report)}")
        return _line(report, f"{progress(report)}{_started(report, scene)}{_left(report, scene)}")

    return line


def _line(report: Report, about: str) -> StatusLine:
    return StatusLine(words_of(report).verdict, f"update {report.number}: {about}")


def _checked(report: Report) -> str:
    share = percent(report.read, report.rows)
    return f"{CHECKING.activity}, {report.read:,} of {count_of(report.rows, 'row')} read ({share})"


def _applied(report: Report) -> str:
    progress = (
        f"{APPLYING.activity}, {report.changed:,} of {count_of(report.staged, 'changed student')}"
    )
    return f"{progress}; {report.unchanged:,} unchanged, {report.rejected:,} rejected"


def _started(report: Report, scene: StatusContext) -> str:
    return (
        f", started {format_time(report.started_at, scene.now, report.time_zone)}"
        if report.started_at
        else ""
    )


def _left(report: Report, scene: StatusContext) -> str:
    left = seconds_left(report, scene.now)
    return f", about {approximate(left)} left" if left else ""


def approximate(seconds: int) -> str:
    """``9 s`` and not ``9.0 s``: it is an estimate."""
    return f"{seconds} s" if seconds < 60 else duration(timedelta(seconds=seconds))


def _completed(report: Report, scene: StatusContext) -> StatusLine:
    if report.rejected:
        return _line(report, f"{_counts(report)}; see {link(report, scene.url)}")
    return _line(report, f"{_counts(report)}{_took(report)}")


def _canceled(report: Report, scene: StatusContext) -> StatusLine:
    return _line(report, f"{_counts(report)}, {report.not_processed:,} not processed")


def _refused(report: Report, scene: StatusContext) -> StatusLine:
    if report.refusal is None:
        return _line(report, f"see {link(report, scene.url)}")
    return _line(report, f"{report.refusal.code}: {report.refusal.message}")


def _failed(report: Report, scene: StatusContext) -> StatusLine:
    done = report.changed
    kept = f"{count_of(done, 'student')} {'is' if done == 1 else 'are'} updated"
    return _line(
        report, f"internal error, reference {report.reference}: {kept}; send the file again"
    )


def _counts(report: Report) -> str:
    added = f"{report.added:,} added, " if report.added else ""
    return (
        f"{count_of(report.rows, 'student')}: {report.updated:,} updated, {added}"
        f"{report.unchanged:,} unchanged, {report.rejected:,} rejected"
    )


def _took(report: Report) -> str:
    if report.ended_at is None:
        return ""
    return f", in {duration(report.ended_at - (report.started_at or report.received_at))}"


VERDICTS: Mapping[State, Callable[[Report, StatusContext], StatusLine]] = {
    State.RECEIVED: _received,
    State.CHECKING: _working(_checked),
    State.APPLYING: _working(_applied),
    State.COMPLETED: _completed,
    State.CANCELED: _canceled,
    State.REFUSED: _refused,
    State.FAILED: _failed,
}
