"""Home's one sentence, for every way a night can have gone; the most important thing comes first."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rollbook.doors.pages.last_night import Scene, Sentence, sentence, whose
from rollbook.format.problems import Problem
from rollbook.updates.history import LastNight
from rollbook.updates.moves import Mode, State
from rollbook.updates.report import Report
from rollbook.updates.running import Seen

NOW = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)  # 08:30 in Chicago, on a Monday
NIGHT = datetime(2026, 11, 23, 8, 5, tzinfo=UTC)  # 02:05
ZONE = "America/Chicago"
ALIVE, GONE = Seen(alive=True, at=NOW), Seen(alive=False, at=NIGHT)


def told(**facts: object) -> Report:
    """Update 17, completed at night: 97 of 4,812 students changed."""
    report = Report(
        number=17,
        district="Maple USD",
        slug="maple-usd",
        time_zone=ZONE,
        mode=Mode.UPDATE,
        state=State.COMPLETED,
        via="curl",
        starter=None,
        file_name="students.csv",
        file_size=1,
        file_digest="0" * 64,
        encoding="utf-8",
        rows=4812,
        read=4812,
        staged=97,
        updated=97,
        added=0,
        unchanged=4715,
        rejected=0,
        received_at=NIGHT,
        started_at=NIGHT,
        applying_at=NIGHT,
        progressed_at=NOW,
        ended_at=NIGHT,
        reference="",
        refusal=None,
        groups=(),
    )
    return replace(report, **facts)  # type: ignore[arg-type]


def said(
    last: Report | None = None, running: Report | None = None, waiting: tuple[int, ...] = (), seen: Seen = ALIVE
) -> Sentence:
    received = last.received_at if last else None
    return sentence(Scene(LastNight(None, None, waiting, received), running, last, seen, NOW, ZONE))


def test_a_district_that_has_sent_nothing_begins_with_a_template() -> None:
    assert said() == Sentence("No student file has come yet.", "quiet", "Begin with a template", "students-update")


def test_when_all_went_well_there_is_nothing_to_do() -> None:
    all_well = "Last night’s update went in: 4,812 students, 97 changed. There is nothing to do."
    assert said(told()) == Sentence(all_well, "good")
    assert said(told(updated=0, unchanged=4812)).text.startswith(
        "Last night’s update went in: 4,812 students, none had changed."
    )


def test_rejected_rows_are_to_be_mended() -> None:
    found = said(told(updated=83, rejected=14))
    assert found.text.startswith("Last night’s update went in, but 14 of 4,812 rows were rejected. Mend them in")
    assert (found.tone, found.name, found.number) == ("warn", "update", 17)
    assert " 1 of 4,812 rows was rejected" in said(told(updated=96, rejected=1)).text


def test_a_file_that_does_not_come_is_missed() -> None:
    friday = NIGHT - timedelta(days=3)
    found = said(told(received_at=friday))
    assert found.text == "Nothing has come in since Friday, 20 November. Is the nightly script still running?"
    assert found.name == "automation"


def test_errors_are_told_before_a_file_that_is_missing() -> None:
    found = said(told(received_at=NIGHT - timedelta(days=3), updated=83, rejected=14))
    assert found.text.startswith("The update of Friday, 20 November went in, but 14 of")


def test_a_canceled_one_tells_both_counts() -> None:
    found = said(told(state=State.CANCELED, updated=41, unchanged=2269))
    assert found.text.startswith("Last night’s update was canceled: 41 students stay updated, 2,502 rows were not")


def test_a_refused_one_says_why() -> None:
    found = said(told(state=State.REFUSED, refusal=Problem("empty_file")))
    assert found.text.startswith("Last night’s update was refused (")
    assert found.text.endswith("and nothing was changed. Mend the file and send it again.")


def test_a_failed_one_gives_the_reference() -> None:
    assert "reference 8f3a1c" in said(told(state=State.FAILED, reference="8f3a1c")).text


def test_what_runs_comes_before_what_was() -> None:
    checking = told(number=18, state=State.CHECKING, read=2935, ended_at=None)
    found = said(told(rejected=14), checking)
    assert found.text == "Update 18 is running: 2,935 of 4,812 rows are checked (61 %)."
    applying = replace(checking, state=State.APPLYING, updated=41)
    assert said(told(), applying).text == "Update 18 is running: 41 of 97 students are updated."


def test_one_that_stands_still_is_told_with_since_when() -> None:
    stuck = told(number=18, state=State.APPLYING, progressed_at=NOW - timedelta(minutes=10), ended_at=None)
    assert said(None, stuck).text.startswith("Update 18 has stood still since 08:20:00 CST.")


def test_without_a_worker_the_operator_is_to_be_told() -> None:
    words = "Update 18 waits, as no worker has been seen since 02:05:00 CST. Nothing is lost. Tell the operator."
    assert said(waiting=(18,), seen=GONE).text == words
    assert said(None, told(number=18, state=State.CHECKING, ended_at=None), seen=GONE).text == words


def test_those_that_wait_will_begin() -> None:
    assert said(told(), waiting=(18, 19)).text == "Updates 18 and 19 will begin in a moment."


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
    assert whose(NOW - timedelta(hours=hours_before), NOW, ZONE) == name
