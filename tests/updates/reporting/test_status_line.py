"""The exact status line of an update in each state."""

from datetime import timedelta

import pytest

from rollbook.studentfile.problems.problem import Problem
from rollbook.updates.reporting.progress import PROGRESS_BY_STATE, seconds_left
from rollbook.updates.reporting.status_line import VERDICTS, StatusContext, verdict
from rollbook.updates.state_machine import IN_PROGRESS, State
from tests.web.reports import BEGUN, SCENE, URL, a_report

CHECKING = {"read": 2935}
APPLYING = {"read": 4812, "staged": 83, "updated": 41, "unchanged": 4715, "rejected": 14}


def test_every_state_has_a_line() -> None:
    assert set(VERDICTS) == set(State)
    assert set(PROGRESS_BY_STATE) == set(IN_PROGRESS)


def test_checking() -> None:
    assert str(verdict(a_report(State.CHECKING, **CHECKING), SCENE)) == (
        "RUNNING update 17: checking, 2,935 of 4,812 rows read (61 %), "
        "started 02:05:11 CST, about 9 s left"
    )


def test_updating() -> None:
    assert str(verdict(a_report(State.APPLYING, **APPLYING), SCENE)) == (
        "RUNNING update 17: updating, 41 of 83 changed students; 4,715 unchanged, 14 rejected, "
        "started 02:05:11 CST, about 2 s left"
    )


def test_waiting_for_others() -> None:
    report = a_report(State.RECEIVED, started_at=None, progressed_at=None)
    line = str(verdict(report, StatusContext(BEGUN, URL, ahead=(15, 16))))
    assert line == "RUNNING update 17: waiting for updates 15 and 16"


def test_about_to_be_checked() -> None:
    report = a_report(State.RECEIVED, started_at=None, progressed_at=None)
    assert str(verdict(report, SCENE)) == "RUNNING update 17: checking, 0 of 4,812 rows read (0 %)"


@pytest.mark.parametrize("state", [State.CHECKING, State.APPLYING])
def test_stalled_for_more_than_a_minute(state: State) -> None:
    report = a_report(state, progressed_at=BEGUN + timedelta(minutes=2), **APPLYING)
    assert "stalled" not in str(verdict(report, StatusContext(BEGUN + timedelta(minutes=3), URL)))
    line = str(verdict(report, StatusContext(BEGUN + timedelta(minutes=3, seconds=1), URL)))
    assert line.startswith(
        "RUNNING update 17: stalled since 02:07:11 CST, will resume automatically; "
    )


@pytest.mark.parametrize("state", [State.RECEIVED, State.CHECKING, State.APPLYING])
def test_no_worker_is_running(state: State) -> None:
    report = a_report(state)
    five_minutes_ago = BEGUN - timedelta(minutes=5)
    context = StatusContext(BEGUN, URL, is_worker_alive=False, worker_seen_at=five_minutes_ago)
    assert str(verdict(report, context)) == (
        "RUNNING update 17: waiting; no worker has been seen since 02:00:11 CST; "
        "nothing is lost; tell your Rollbook administrator"
    )
    never = verdict(report, StatusContext(BEGUN, URL, is_worker_alive=False))
    assert "no worker has been seen yet" in str(never)


def test_completed() -> None:
    ended = BEGUN + timedelta(seconds=2.1)
    report = a_report(State.COMPLETED, updated=97, unchanged=4715, ended_at=ended)
    assert str(verdict(report, SCENE)) == (
        "COMPLETED update 17: 4,812 students: 97 updated, 4,715 unchanged, 0 rejected, in 2.1 s"
    )


def test_completed_with_errors() -> None:
    report = a_report(State.COMPLETED, updated=83, unchanged=4715, rejected=14, ended_at=BEGUN)
    assert str(verdict(report, SCENE)) == (
        "COMPLETED WITH ERRORS update 17: 4,812 students: 83 updated, 4,715 unchanged, "
        "14 rejected; see https://rollbook.example/updates/17"
    )


def test_added_students_are_counted_where_there_are_any() -> None:
    report = a_report(State.COMPLETED, updated=90, added=7, unchanged=4715, ended_at=BEGUN)
    assert "90 updated, 7 added, 4,715 unchanged" in str(verdict(report, SCENE))


def test_canceled() -> None:
    report = a_report(State.CANCELED, updated=41, unchanged=2269, ended_at=BEGUN)
    assert str(verdict(report, SCENE)) == (
        "CANCELED update 17: 4,812 students: 41 updated, 2,269 unchanged, 0 rejected, "
        "2,502 not processed"
    )


def test_refused() -> None:
    problem = Problem("empty_file")
    line = str(verdict(a_report(State.REFUSED, refusal=problem), SCENE))
    assert line == f"REFUSED update 17: empty_file: {problem.message}"


def test_failed() -> None:
    report = a_report(State.FAILED, updated=41, reference="8f3a1c", ended_at=BEGUN)
    assert str(verdict(report, SCENE)) == (
        "FAILED update 17: internal error, reference 8f3a1c: 41 students are updated; "
        "upload the file again"
    )


def test_nothing_is_estimated_before_anything_is_done() -> None:
    assert seconds_left(a_report(State.CHECKING), BEGUN + timedelta(seconds=5)) is None
    assert seconds_left(a_report(State.COMPLETED, read=4812), BEGUN) is None


def test_the_estimate_for_applying_starts_with_applying() -> None:
    """The time of a long check does not affect it."""
    applying_at = BEGUN + timedelta(minutes=5)
    report = a_report(
        State.APPLYING, rows=1_000_000, staged=10_000, updated=100, applying_at=applying_at
    )
    assert seconds_left(report, applying_at + timedelta(seconds=0.1)) == 10
