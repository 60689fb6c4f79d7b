"""The thresholds, and how what was found is worded as a reason."""

from collections.abc import Iterable, Sequence

import pytest

from rollbook.districts.models import District
from rollbook.studentfile.fixes import Fix, FixStep
from rollbook.studentfile.problems.problem import PROBLEM_CODES, Severity
from rollbook.updates.feed.findings import THRESHOLDS, Finding
from rollbook.updates.planning.feed_measures import FEED_MEASURES
from rollbook.updates.planning.limits import Reason
from rollbook.updates.planning.measures import MEASURES
from rollbook.updates.planning.reason_words import reason_sentence
from rollbook.updates.state_machine import Mode
from tests.updates.night import enroll, finish, send

SENTENCES = {
    "shape_changed": "90 of 100 rows look different in DOB than in the last file",
    "columns_shifted": "90 of 100 columns look like their neighbors in the last file",
    "ids_changed_form": "90 of 100 IDs are unknown, but known in another form",
    "dates_day_first": (
        "90 of 100 changed dates are those of the students with day and month exchanged"
    ),
    "fewer_rows": "90 of 100 rows are missing, compared with the last file",
    "more_rows": "90 of 100 rows are more than the last file had",
    "other_students": "90 of 100 rows are about no student of the last file",
    "goes_back": "90 of 100 changes undo a change of the last 14 days",
    "earlier_file": "90 of 100 files is that of an earlier night, and another came since",
}


def test_each_finding_has_a_threshold_words_and_a_warning() -> None:
    assert THRESHOLDS.keys() == FEED_MEASURES.keys() == SENTENCES.keys()
    assert FEED_MEASURES.keys().isdisjoint(MEASURES)
    assert {PROBLEM_CODES[code].severity for code in THRESHOLDS} == {Severity.WARNING}


@pytest.mark.parametrize("code", SENTENCES)
def test_a_reason_has_a_sentence(code: str) -> None:
    finding = Finding(code, 90, 100, "DOB", holds=True)
    reason = Reason.from_json(finding.reason().as_json())
    assert reason == finding.reason()
    assert reason_sentence(reason).startswith(f"{SENTENCES[code]} (90 %; the limit is ")


@pytest.mark.parametrize(
    ("count", "of", "is_reached", "is_held"),
    [
        (24, 100, False, False),
        (25, 100, True, False),
        (50, 100, True, True),
        (9, 10, False, False),
        (10, 10, True, True),
        (0, 0, False, False),
    ],
)
def test_both_share_and_number_count(count: int, of: int, is_reached: bool, is_held: bool) -> None:
    threshold = THRESHOLDS["goes_back"]
    assert threshold.is_reached(count, of) is is_reached
    assert threshold.is_held(count, of) is is_held


def test_changes_of_all_its_columns_have_to_be_expected() -> None:
    finding = Finding("goes_back", 9, 9, holds=True, columns=frozenset({"GRADE", "ELL"}))
    assert not finding.is_expected(["GRADE"])
    assert finding.is_expected(["GRADE", "ELL", "DOB"])
    assert not Finding("earlier_file", 1, 1, holds=True).is_expected(["GRADE"])


def test_a_finding_is_stored_without_its_text() -> None:
    fixes = (Fix("STUDENT_ID", FixStep.PAD, "8"),)
    finding = Finding("ids_changed_form", 9, 9, "STUDENT_ID", True, "9 of 9 match", fixes)
    stored = finding.as_json()
    assert "9 of 9" not in str(stored)
    assert Finding.from_json(stored) == Finding(
        "ids_changed_form", 9, 9, "STUDENT_ID", holds=True, fixes=fixes
    )


@pytest.mark.parametrize("ids", [range(40), range(95, 140), (*range(5), *range(50, 60))])
def test_ids_that_continue_a_sequence_are_no_finding(maple: District, ids: Sequence[int]) -> None:
    """The new number 23 begins with 2, and the rest of it is the ID of a student: number 3."""
    known = [number for number in ids if number < 20 or number in range(95, 110)]
    enroll(maple, file_of_ids(known))
    update = send(maple, file_of_ids(ids), Mode.ADD)
    finish(update)
    update.refresh_from_db()
    assert "ids_changed_form" not in {each["code"] for each in update.findings or []}


def file_of_ids(ids: Iterable[int]) -> str:
    rows = [f"{number},Ann{number},Lee{number},2012-05-13" for number in ids]
    return "\n".join(["STUDENT_ID,FIRST_NAME,LAST_NAME,DOB", *rows])
