"""How an update stands, in one line whose first word is the verdict: a pure reading of its report."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from rollbook.updates.moves import State
from rollbook.updates.report import Report
from rollbook.updates.wording import counted, duration, moment, percent, updates

STALLED_AFTER = timedelta(seconds=60)


@dataclass(frozen=True)
class Scene:
    """What the report does not know: the time, the pages' address, whether a worker lives, and who goes first."""

    now: datetime
    url: str
    worker_alive: bool = True
    worker_seen_at: datetime | None = None
    ahead: tuple[int, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """``word`` is what a script looks for; ``about`` is the rest of the line."""

    word: str
    about: str

    def __str__(self) -> str:
        return f"{self.word} {self.about}"


def verdict(report: Report, scene: Scene) -> Verdict:
    """The line for an update in whatever state."""
    return VERDICTS[report.state](report, scene)


def seconds_left(report: Report, now: datetime) -> int | None:
    """An estimate from the rate so far; None while there is nothing to go by."""
    if report.state not in REMAINING:
        return None
    since, done, total = REMAINING[report.state](report)
    if since is None or not done:
        return None
    return max(1, round((now - since).total_seconds() * (total - done) / done))


def link(report: Report, url: str) -> str:
    """Where people read all of it."""
    return f"{url}/updates/{report.number}"


def without_worker(report: Report, scene: Scene) -> str:
    """What can be said while nobody is there to do the work."""
    at = scene.worker_seen_at
    since = f"since {moment(at, scene.now, report.time_zone)}" if at else "yet"
    return f"waiting; no worker has been seen {since}; nothing is lost, tell the operator"


def _received(report: Report, scene: Scene) -> Verdict:
    if not scene.worker_alive:
        return _running(report, without_worker(report, scene))
    if scene.ahead:
        return _running(report, f"waiting for {updates(scene.ahead)}")
    return _running(report, _checked(report))


def _working(progress: Callable[[Report], str]) -> Callable[[Report, Scene], Verdict]:
    def line(report: Report, scene: Scene) -> Verdict:
        if not scene.worker_alive:
            return _running(report, without_worker(report, scene))
        if report.progressed_at and scene.now - report.progressed_at > STALLED_AFTER:
            since = moment(report.progressed_at, scene.now, report.time_zone)
            return _running(report, f"stalled since {since}, goes on by itself; {progress(report)}")
        return _running(report, f"{progress(report)}{_started(report, scene)}{_left(report, scene)}")

    return line


def _running(report: Report, how: str) -> Verdict:
    return Verdict("RUNNING", f"update {report.number}: {how}")


def _checked(report: Report) -> str:
    return f"checking, {report.read:,} of {counted(report.rows, 'row')} read ({percent(report.read, report.rows)})"


def _applied(report: Report) -> str:
    progress = f"updating, {report.changed:,} of {counted(report.staged, 'changed student')}"
    return f"{progress}; {report.unchanged:,} unchanged, {report.rejected:,} rejected"


def _started(report: Report, scene: Scene) -> str:
    return f", started {moment(report.started_at, scene.now, report.time_zone)}" if report.started_at else ""


def _left(report: Report, scene: Scene) -> str:
    left = seconds_left(report, scene.now)
    return f", about {_rough(left)} left" if left else ""


def _rough(seconds: int) -> str:
    """``9 s`` and not ``9.0 s``: it is an estimate."""
    return f"{seconds} s" if seconds < 60 else duration(timedelta(seconds=seconds))


def _completed(report: Report, scene: Scene) -> Verdict:
    if report.rejected:
        return Verdict("COMPLETED WITH ERRORS", f"{_counts(report)}; see {link(report, scene.url)}")
    return Verdict("COMPLETED", f"{_counts(report)}{_took(report)}")


def _canceled(report: Report, scene: Scene) -> Verdict:
    return Verdict("CANCELED", f"{_counts(report)}, {report.not_processed:,} not processed")


def _refused(report: Report, scene: Scene) -> Verdict:
    if report.refusal is None:
        return Verdict("REFUSED", f"update {report.number}: see {link(report, scene.url)}")
    return Verdict("REFUSED", f"update {report.number}: {report.refusal.code}: {report.refusal.message}")


def _failed(report: Report, scene: Scene) -> Verdict:
    done = report.changed
    kept = f"{counted(done, 'student')} {'is' if done == 1 else 'are'} updated"
    return Verdict(
        "FAILED", f"update {report.number}: internal error, reference {report.reference}: {kept}; send the file again"
    )


def _counts(report: Report) -> str:
    added = f"{report.added:,} added, " if report.added else ""
    return (
        f"update {report.number}: {counted(report.rows, 'student')}: {report.updated:,} updated, {added}"
        f"{report.unchanged:,} unchanged, {report.rejected:,} rejected"
    )


def _took(report: Report) -> str:
    if report.ended_at is None:
        return ""
    return f", in {duration(report.ended_at - (report.started_at or report.received_at))}"


Work = tuple[datetime | None, int, int]  # since when, how much is done, of how much


def _checking_work(report: Report) -> Work:
    return report.started_at, report.read, report.rows


def _applying_work(report: Report) -> Work:
    return report.applying_at, report.changed, report.staged


REMAINING: Mapping[State, Callable[[Report], Work]] = {
    State.CHECKING: _checking_work,
    State.APPLYING: _applying_work,
}
VERDICTS: Mapping[State, Callable[[Report, Scene], Verdict]] = {
    State.RECEIVED: _received,
    State.CHECKING: _working(_checked),
    State.APPLYING: _working(_applied),
    State.COMPLETED: _completed,
    State.CANCELED: _canceled,
    State.REFUSED: _refused,
    State.FAILED: _failed,
}
