"""The progress of an update; the estimates are tested together with the status lines."""

from datetime import timedelta

import pytest

from rollbook.updates.reporting.progress import (
    PhaseProgress,
    phase_progress,
    rate,
    share,
    stalled_since,
)
from rollbook.updates.state_machine import State
from tests.web.reports import BEGUN, a_report

APPLYING_AT = BEGUN + timedelta(seconds=12)


def test_progress_and_rate() -> None:
    checking = a_report(State.CHECKING, read=2406)
    assert phase_progress(checking) == PhaseProgress(BEGUN, 2406, 4812)
    assert (share(checking), rate(checking, BEGUN + timedelta(seconds=2))) == (0.5, 1203)
    applying = a_report(State.APPLYING, read=4812, staged=80, updated=15, added=5)
    assert phase_progress(applying) == PhaseProgress(APPLYING_AT, 20, 80)
    assert (share(applying), rate(applying, APPLYING_AT + timedelta(seconds=4))) == (0.25, 5)


@pytest.mark.parametrize(
    "state", [state for state in State if state not in {State.CHECKING, State.APPLYING}]
)
def test_an_update_that_is_not_in_progress_has_no_progress(state: State) -> None:
    report = a_report(state, read=10)
    now = BEGUN + timedelta(hours=1)
    assert (phase_progress(report), share(report)) == (None, 0.0)
    assert (rate(report, now), stalled_since(report, now)) == (None, None)


def test_there_is_no_rate_before_the_first_row() -> None:
    assert rate(a_report(State.CHECKING), BEGUN + timedelta(seconds=2)) is None
    assert share(a_report(State.APPLYING, staged=0)) == 0.0


def test_an_update_is_stalled_after_a_minute_without_progress() -> None:
    report = a_report(State.CHECKING, read=10)
    progressed_at = report.progressed_at
    assert progressed_at is not None
    assert stalled_since(report, progressed_at + timedelta(seconds=60)) is None
    assert stalled_since(report, progressed_at + timedelta(seconds=61)) == progressed_at
    without_progress = a_report(State.CHECKING, progressed_at=None)
    assert stalled_since(without_progress, progressed_at + timedelta(hours=1)) is None
