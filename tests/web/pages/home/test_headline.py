"""The sentence on top of Home for each outcome; the most important one comes first."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rollbook.studentfile.problems.problem import Problem
from rollbook.updates.planning.limits import Limit, Reason
from rollbook.updates.planning.measures import Measured
from rollbook.updates.planning.plan_status import PlanStatus
from rollbook.updates.planning.summary import Counts, Summary
from rollbook.updates.reporting.report import Report
from rollbook.updates.reporting.status_line import StatusContext
from rollbook.updates.state_machine import State
from rollbook.web.pages.home.headline import Headline, HomeState, headline, update_label
from tests.web.reports import URL, a_report

NOW = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)  # 08:30 in Chicago, on a Monday
NIGHT = datetime(2026, 11, 23, 8, 5, tzinfo=UTC)  # 02:05
ZONE = "America/Chicago"
SCENE = StatusContext(NOW, URL)
WITHOUT_WORKER = StatusContext(NOW, URL, is_worker_alive=False, worker_seen_at=NIGHT)


def ended_report(state: State = State.COMPLETED, **fields: object) -> Report:
    """Update 17, received at night: 97 of 4,812 students changed."""
    counts = {"read": 4812, "staged": 97, "updated": 97, "unchanged": 4715}
    return a_report(
        state, **{**counts, "received_at": NIGHT, "ended_at": NIGHT, "progressed_at": NOW, **fields}
    )


def unfinished_report(state: State, **fields: object) -> Report:
    return ended_report(state, **{"number": 18, "ended_at": None, **fields})


def sentence(
    last: Report | None = None,
    live: Report | None = None,
    waiting: tuple[int, ...] = (),
    scene: StatusContext = SCENE,
) -> Headline:
    return headline(HomeState(live, waiting, last, last.received_at if last else None), scene)


def test_a_new_district_starts_with_a_template() -> None:
    assert sentence() == Headline(
        "No student file has arrived yet.", "", "Upload file", "students-update"
    )


def test_after_a_good_update_no_action_is_needed() -> None:
    text = "Last night’s update finished: 97 of 4,812 students changed. No action needed."
    assert sentence(ended_report()) == Headline(text, "completed")
    assert sentence(ended_report(updated=0, unchanged=4812)).text.startswith(
        "Last night’s update finished: none of 4,812 students changed."
    )


def test_rejected_rows_need_fixing() -> None:
    result = sentence(ended_report(updated=83, rejected=14))
    assert result.text.startswith(
        "Last night’s update finished, but 14 of 4,812 rows were rejected. Fix them in your SIS"
    )
    assert (result.state, result.name, result.number) == ("completed with errors", "update", 17)
    assert " 1 of 4,812 rows was rejected" in sentence(ended_report(updated=96, rejected=1)).text


def test_if_every_row_was_rejected_nothing_was_applied() -> None:
    result = sentence(ended_report(updated=0, unchanged=0, rejected=4812))
    assert result.text.startswith("Last night’s update finished, but nothing was applied: 4,812 of")
    assert (result.state, result.step) == ("nothing applied", "View errors")


def test_a_missing_file_is_noticed() -> None:
    friday = NIGHT - timedelta(days=3)
    result = sentence(ended_report(received_at=friday))
    assert (
        result.text
        == "No file has arrived since Friday, November 20. Is the nightly script still running?"
    )
    assert (result.state, result.name) == ("", "automation")


def test_a_file_is_missing_after_36_hours() -> None:
    assert sentence(ended_report(received_at=NOW - timedelta(hours=36))).state == "completed"
    assert sentence(ended_report(received_at=NOW - timedelta(hours=36, seconds=1))).state == ""


def test_errors_come_before_a_missing_file() -> None:
    result = sentence(ended_report(received_at=NIGHT - timedelta(days=3), updated=83, rejected=14))
    assert result.text.startswith("The update from Friday, November 20 finished, but 14 of")


def test_a_canceled_update_has_both_counts() -> None:
    result = sentence(ended_report(State.CANCELED, updated=41, unchanged=2269))
    assert result.text.startswith(
        "Last night’s update was canceled: 41 students stay updated, 2,502 were not processed."
    )
    assert result.state == "canceled"


def test_a_refused_update_has_the_reason() -> None:
    result = sentence(ended_report(State.REFUSED, refusal=Problem("empty_file")))
    assert result.text.startswith("Last night’s update was not accepted (")
    assert result.text.endswith("and nothing was changed. Fix the file and send it again.")
    assert (result.state, result.step) == ("refused", "View errors")


def test_a_failed_update_has_the_reference() -> None:
    result = sentence(ended_report(State.FAILED, reference="8f3a1c"))
    assert "reference 8f3a1c" in result.text
    assert result.state == "failed"


@pytest.mark.parametrize("state", [State.CHECKING, State.APPLYING])
def test_an_update_in_progress_comes_before_the_last_one(state: State) -> None:
    running = Headline("Update 18 is running.", "running", "View progress", "update", 18)
    assert sentence(ended_report(rejected=14), unfinished_report(state)) == running


def test_updates_in_the_queue_are_named() -> None:
    result = sentence(None, unfinished_report(State.APPLYING), waiting=(19, 20))
    assert result.text == "Update 18 is running, and updates 19 and 20 will follow."


def test_a_stalled_update_has_the_time_of_its_last_progress() -> None:
    stuck = unfinished_report(State.APPLYING, progressed_at=NOW - timedelta(minutes=10))
    assert sentence(None, stuck).text.startswith(
        "Update 18 is running. No progress since 8:20 AM CST."
    )


@pytest.mark.parametrize("state", [State.RECEIVED, State.CHECKING, State.APPLYING])
def test_without_a_worker_the_administrator_is_needed(state: State) -> None:
    result = sentence(ended_report(), unfinished_report(state), scene=WITHOUT_WORKER)
    assert result.text == (
        "Update 18 is waiting. No update has been processed since 2:05 AM CST. "
        "Nothing is lost. Please tell your Rollbook administrator."
    )
    assert result.number == 18


def test_without_a_worker_nothing_is_wrong_while_the_queue_is_empty() -> None:
    assert sentence(ended_report(), scene=WITHOUT_WORKER).state == "completed"


def test_updates_in_the_queue_will_start() -> None:
    result = sentence(ended_report(), unfinished_report(State.RECEIVED), waiting=(18, 19))
    assert (result.text, result.state) == ("Updates 18 and 19 will start in a moment.", "waiting")


@pytest.mark.parametrize(
    ("hours_before", "name"),
    [
        (0, "Today’s update"),
        (3, "Last night’s update"),  # 05:30
        (12, "Last night’s update"),  # 20:30 yesterday
        (18, "Yesterday’s update"),  # 14:30 yesterday
        (36, "The update from Saturday, November 21"),  # 20:30, but not of last night
    ],
)
def test_an_update_has_a_label_that_people_use(hours_before: int, name: str) -> None:
    assert update_label(NOW - timedelta(hours=hours_before), NOW, ZONE) == name


def held_report() -> Report:
    reason = Reason("moved_out", Measured(412, 4812), Limit(5, 50))
    plan = PlanStatus(
        is_check=False,
        digest="0" * 12,
        summary=Summary(Counts()),
        reasons=(reason,),
        planned_at=NOW,
        apply_at=None,
        discard_at=NOW,
        decided_by=None,
        decided_at=None,
        decision_note="",
        left_out_schools=(),
        discard_reason="",
        replaced_by=None,
    )
    return unfinished_report(State.HELD, plan=plan)


@pytest.mark.parametrize(
    ("may_approve", "deciders", "action"),
    [
        (True, ("Ana Ruiz",), "Approve or discard it by Nov 23, 2026, 8:30 AM CST."),
        (False, ("Ana Ruiz",), "Ana Ruiz can approve it by Nov 23, 2026, 8:30 AM CST."),
        (
            False,
            ("Ana Ruiz", "Lee Park"),
            "Ana Ruiz or 1 other can approve it by Nov 23, 2026, 8:30 AM CST.",
        ),
        (False, (), "Nobody in your district can approve it by Nov 23, 2026, 8:30 AM CST."),
    ],
)
def test_what_is_held_comes_first_with_who_acts_next(
    may_approve: bool, deciders: tuple[str, ...], action: str
) -> None:
    home = HomeState(
        live=unfinished_report(State.APPLYING),
        last=ended_report(),
        held=held_report(),
        may_approve=may_approve,
        deciders=deciders,
    )
    text = f"Update 18 is held: 412 of 4,812 students would change school. {action}"
    assert headline(home, SCENE) == Headline(text, "held", "Review update", "update", 18)


def test_a_discarded_plan_has_a_sentence() -> None:
    plan = replace(
        held_report().plan or pytest.fail("no plan"), discard_reason="replaced", replaced_by=19
    )
    result = sentence(ended_report(State.DISCARDED, plan=plan))
    assert result.text == (
        "Last night’s update was discarded because update 19 has newer data, "
        "and nothing was changed."
    )
    assert (result.state, result.step) == ("discarded", "View update")
