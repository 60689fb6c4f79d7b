"""How far an update is, how fast, and how long it may still take: pure readings of its report."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from rollbook.updates.reporting.report import Report
from rollbook.updates.state_machine import State

STALLED_AFTER = timedelta(seconds=60)


@dataclass(frozen=True)
class PhaseProgress:
    """Since when an update is in its state, and how many rows of how many are done there."""

    since: datetime | None
    done: int
    total: int


def phase_progress(report: Report) -> PhaseProgress | None:
    """What is being done; None if nothing is."""
    read = REMAINING.get(report.state)
    return read(report) if read else None


def seconds_left(report: Report, now: datetime) -> int | None:
    """An estimate from the rate so far; None while there is nothing to go by."""
    doing = phase_progress(report)
    if doing is None or doing.since is None or not doing.done:
        return None
    return max(
        1, round((now - doing.since).total_seconds() * (doing.total - doing.done) / doing.done)
    )


def rate(report: Report, now: datetime) -> float | None:
    """Rows a second so far; None while there is nothing to go by."""
    doing = phase_progress(report)
    if doing is None or doing.since is None or not doing.done:
        return None
    return doing.done / max((now - doing.since).total_seconds(), 0.001)


def share(report: Report) -> float:
    """How much of what is being done is done, from 0 to 1."""
    doing = phase_progress(report)
    return min(1.0, doing.done / doing.total) if doing and doing.total else 0.0


def stalled_since(report: Report, now: datetime) -> datetime | None:
    """Since when an update that is in work has not moved, if that is long ago."""
    at = report.progressed_at
    return at if report.state in REMAINING and at and now - at > STALLED_AFTER else None


def _checking(report: Report) -> PhaseProgress:
    return PhaseProgress(report.started_at, report.read, report.rows)


def _applying(report: Report) -> PhaseProgress:
    return PhaseProgress(report.applying_at, report.changed, report.staged)


REMAINING: Mapping[State, Callable[[Report], PhaseProgress]] = {
    State.CHECKING: _checking,
    State.APPLYING: _applying,
}
