"""How far an update is; the estimates themselves are tested with the verdicts that tell them."""

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


def test_what_is_done_and_how_fast() -> None:
    checking = a_report(State.CHECKING, read=2406)
    assert phase_progress(checking) == PhaseProgress(BEGUN, 2406, 4812)
    assert (share(checking), rate(checking, BEGUN + timedelta(seconds=2))) == (0.5, 1203)
    applying = a_report(State.APPLYING, read=4812, staged=80, updated=15, added=5)
    assert phase_progress(applying) == PhaseProgress(APPLYING_AT, 20, 80)
    assert (share(applying), rate(applying, APPLYING_AT + timedelta(seconds=4))) == (0.25, 5)


@pytest.mark.parametrize(
    "state", [state for state in State if state not in {State.CHECKING, State.APPLYING}]
)
def test_of_an_update_that_nobody_works_on_there_is_nothing_to_say(state: State) -> None:
    told = a_report(state, read=10)
    now = BEGUN + timedelta(hours=1)
    assert (phase_progress(told), share(told), rate(told, now), stalled_since(told, now)) == (
        None,
        0.0,
        None,
        None,
    )


def test_before_anything_is_done_there_is_no_rate() -> None:
    assert rate(a_report(State.CHECKING), BEGUN + timedelta(seconds=2)) is None
    assert share(a_report(State.APPLYING, staged=0)) == 0.0


def test_an_update_is_stalled_when_it_has_not_moved_for_a_minute() -> None:
    told = a_report(State.CHECKING, read=10)
    moved = told.progressed_at
    assert moved is not None
    assert stalled_since(told, moved + timedelta(seconds=60)) is None
    assert stalled_since(told, moved + timedelta(seconds=61)) == moved
    assert (
        stalled_since(a_report(State.CHECKING, progressed_at=None), moved + timedelta(hours=1))
        is None
    )
