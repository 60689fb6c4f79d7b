"""Compute an update's progress, rate and remaining time from its report."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from rollbook.updates.reporting.report import Report
from rollbook.updates.state_machine import State

STALLED_AFTER = timedelta(seconds=60)


@dataclass(frozen=True)
class PhaseProgress:
    """When the current phase of an update started, and how many of its rows are done."""

    since: datetime | None
    done: int
    total: int


def phase_progress(report: Report) -> PhaseProgress | None:
    """Return the progress of the current phase; None if the update is not in progress."""
    read = PROGRESS_BY_STATE.get(report.state)
    return read(report) if read else None


def seconds_left(report: Report, now: datetime) -> int | None:
    """Estimate the seconds that the phase still takes from its rate so far; None if unknown."""
    progress = phase_progress(report)
    if progress is None or progress.since is None or not progress.done:
        return None
    elapsed = (now - progress.since).total_seconds()
    return max(1, round(elapsed * (progress.total - progress.done) / progress.done))


def rate(report: Report, now: datetime) -> float | None:
    """Return the rows per second so far; None if unknown."""
    progress = phase_progress(report)
    if progress is None or progress.since is None or not progress.done:
        return None
    return progress.done / max((now - progress.since).total_seconds(), 0.001)


def share(report: Report) -> float:
    """Return the completed share of the current phase, from 0 to 1."""
    progress = phase_progress(report)
    if progress is None or not progress.total:
        return 0.0
    return min(1.0, progress.done / progress.total)


def stalled_since(report: Report, now: datetime) -> datetime | None:
    """Return the time of the last progress if it is longer ago than STALLED_AFTER."""
    if report.state not in PROGRESS_BY_STATE or report.progressed_at is None:
        return None
    is_stalled = now - report.progressed_at > STALLED_AFTER
    return report.progressed_at if is_stalled else None


def _checking(report: Report) -> PhaseProgress:
    return PhaseProgress(report.started_at, report.read, report.rows)


def _applying(report: Report) -> PhaseProgress:
    return PhaseProgress(report.applying_at, report.changed, report.staged)


PROGRESS_BY_STATE: Mapping[State, Callable[[Report], PhaseProgress]] = {
    State.CHECKING: _checking,
    State.APPLYING: _applying,
}
"""How to read the progress from a report, by state."""
