"""Home's one sentence, for every way a night can have gone; the most important thing comes first."""

from datetime import UTC, datetime, timedelta

import pytest

from rollbook.studentfile.problems.problem import Problem
from rollbook.updates.reporting.report import Report
from rollbook.updates.reporting.status_line import StatusContext
from rollbook.updates.state_machine import State
from rollbook.web.pages.home.headline import Headline, HomeState, headline, update_label
from tests.web.reports import URL, a_report

NOW = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)  # 08:30 in Chicago, on a Monday
NIGHT = datetime(2026, 11, 23, 8, 5, tzinfo=UTC)  # 02:05
ZONE = "America/Chicago"
SCENE = StatusContext(NOW, URL)
WITHOUT_WORKER = StatusContext(NOW, URL, worker_alive=False, worker_seen_at=NIGHT)


def told(state: State = State.COMPLETED, **facts: object) -> Report:
    """Update 17, which came in at night: 97 of 4,812 students changed."""
    counts = {"read": 4812, "staged": 97, "updated": 97, "unchanged": 4715}
    return a_report(
        state, **{**counts, "received_at": NIGHT, "ended_at": NIGHT, "progressed_at": NOW, **facts}
    )


def living(state: State, **facts: object) -> Report:
    return told(state, **{"number": 18, "ended_at": None, **facts})


def said(
    last: Report | None = None,
    live: Report | None = None,
    waiting: tuple[int, ...] = (),
    scene: StatusContext = SCENE,
) -> Headline:
    return headline(HomeState(live, waiting, last, last.received_at if last else None), scene)


def test_a_district_that_has_sent_nothing_begins_with_a_template() -> None:
    assert said() == Headline(
        "No student file has come yet.", "", "Begin with a template", "students-update"
    )


def test_when_all_went_well_there_is_nothing_to_do() -> None:
    all_well = "Last night’s update went in: 4,812 students, 97 changed. There is nothing to do."
    assert said(told()) == Headline(all_well, "completed")
    assert said(told(updated=0, unchanged=4812)).text.startswith(
        "Last night’s update went in: 4,812 students, none had changed."
    )


def test_rejected_rows_are_to_be_mended() -> None:
    found = said(told(updated=83, rejected=14))
    assert found.text.startswith(
        "Last night’s update went in, but 14 of 4,812 rows were rejected. Mend them in"
    )
    assert (found.state, found.name, found.number) == ("completed with errors", "update", 17)
    assert " 1 of 4,812 rows was rejected" in said(told(updated=96, rejected=1)).text


def test_a_file_that_does_not_come_is_missed() -> None:
    friday = NIGHT - timedelta(days=3)
    found = said(told(received_at=friday))
    assert (
        found.text
        == "Nothing has come in since Friday, 20 November. Is the nightly script still running?"
    )
    assert (found.state, found.name) == ("", "automation")


def test_one_night_without_a_file_is_no_alarm_until_the_next_noon() -> None:
    assert said(told(received_at=NOW - timedelta(hours=36))).state == "completed"
    assert said(told(received_at=NOW - timedelta(hours=36, seconds=1))).state == ""


def test_errors_are_told_before_a_file_that_is_missing() -> None:
    found = said(told(received_at=NIGHT - timedelta(days=3), updated=83, rejected=14))
    assert found.text.startswith("The update of Friday, 20 November went in, but 14 of")


def test_a_canceled_one_tells_both_counts() -> None:
    found = said(told(State.CANCELED, updated=41, unchanged=2269))
    assert found.text.startswith(
        "Last night’s update was canceled: 41 students stay updated, 2,502 were not processed."
    )
    assert found.state == "canceled"


def test_a_refused_one_says_why() -> None:
    found = said(told(State.REFUSED, refusal=Problem("empty_file")))
    assert found.text.startswith("Last night’s update was refused (")
    assert found.text.endswith("and nothing was changed. Mend the file and send it again.")
    assert (found.state, found.step) == ("refused", "See what is wrong")


def test_a_failed_one_gives_the_reference() -> None:
    found = said(told(State.FAILED, reference="8f3a1c"))
    assert "reference 8f3a1c" in found.text
    assert found.state == "failed"


@pytest.mark.parametrize("state", [State.CHECKING, State.APPLYING])
def test_what_runs_comes_before_what_was(state: State) -> None:
    running = Headline("Update 18 is running.", "running", "Watch it", "update", 18)
    assert said(told(rejected=14), living(state)) == running


def test_those_behind_it_are_named() -> None:
    found = said(None, living(State.APPLYING), waiting=(19, 20))
    assert found.text == "Update 18 is running, and updates 19 and 20 will follow."


def test_one_that_stands_still_is_told_with_since_when() -> None:
    stuck = living(State.APPLYING, progressed_at=NOW - timedelta(minutes=10))
    assert said(None, stuck).text.startswith("Update 18 has stood still since 08:20:00 CST.")


@pytest.mark.parametrize("state", [State.RECEIVED, State.CHECKING, State.APPLYING])
def test_without_a_worker_the_operator_is_to_be_told(state: State) -> None:
    found = said(told(), living(state), scene=WITHOUT_WORKER)
    assert found.text == (
        "Update 18 is waiting; no worker has been seen since 02:05:00 CST; nothing is lost, tell the operator."
    )
    assert found.number == 18


def test_without_a_worker_all_is_well_as_long_as_nothing_waits() -> None:
    assert said(told(), scene=WITHOUT_WORKER).state == "completed"


def test_those_that_wait_will_begin() -> None:
    found = said(told(), living(State.RECEIVED), waiting=(18, 19))
    assert (found.text, found.state) == ("Updates 18 and 19 will begin in a moment.", "waiting")


@pytest.mark.parametrize(
    ("hours_before", "name"),
    [
        (0, "Today’s update"),
        (3, "Last night’s update"),  # 05:30
        (12, "Last night’s update"),  # 20:30 yesterday
        (18, "Yesterday’s update"),  # 14:30 yesterday
        (36, "The update of Saturday, 21 November"),  # 20:30, but not of last night
    ],
)
def test_an_update_is_called_as_people_call_it(hours_before: int, name: str) -> None:
    assert update_label(NOW - timedelta(hours=hours_before), NOW, ZONE) == name
