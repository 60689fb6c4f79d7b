"""The words for states and outcomes."""

import pytest

from rollbook.updates.reporting.state_words import (
    ALL,
    BEST_TO_WORST,
    OUTCOMES,
    RUNNING,
    STATES,
    result_sentence,
    words_of,
)
from rollbook.updates.reporting.status_line import VERDICT_MEANINGS
from rollbook.updates.state_machine import EVENT_STATES, UNFINISHED, Outcome, State
from rollbook.web.pages.base.templatetags.pages import BADGES
from tests.web.reports import a_report


def test_every_state_and_every_outcome_has_words() -> None:
    assert list(STATES) == list(State)
    assert list(OUTCOMES) == list(Outcome)
    assert {words.verdict for words in STATES.values()} <= set(VERDICT_MEANINGS)


def test_a_word_has_one_sign_and_tone() -> None:
    shown = {words.word: (words.sign, words.tone) for words in ALL}
    assert len(shown) == len(ALL)
    assert shown.items() <= BADGES.items()


def test_every_final_state_is_ranked() -> None:
    assert set(BEST_TO_WORST) > {
        words for state, words in STATES.items() if state not in UNFINISHED
    }
    assert RUNNING in BEST_TO_WORST


@pytest.mark.parametrize("state", State)
def test_an_update_that_people_hear_of_has_a_sentence(state: State) -> None:
    report = a_report(state, rows=3, updated=1)
    assert bool(result_sentence(report)) == (state in EVENT_STATES)
    assert "{" not in result_sentence(report)


def test_rejected_rows_matter_for_completed_updates_only() -> None:
    assert (
        words_of(a_report(State.COMPLETED, rows=3, updated=1, rejected=2)).word
        == "completed with errors"
    )
    assert words_of(a_report(State.CANCELED, rows=3, rejected=2)).word == "canceled"


def test_one_row_is_in_the_singular() -> None:
    rejected = result_sentence(a_report(State.COMPLETED, rows=3, updated=2, rejected=1))
    assert "1 row was rejected and not applied. Fix it in your SIS; it'll come" in rejected
    finished = result_sentence(a_report(State.CANCELED, rows=2, updated=2))
    assert finished.endswith("; every row was processed. No action needed.")
    canceled = result_sentence(a_report(State.CANCELED, rows=2, updated=1))
    assert "1 student was already changed, and that change is kept; 1 row was not" in canceled
    unapplied = result_sentence(a_report(State.CANCELED, rows=2))
    assert "No students were changed; 2 rows were not processed." in unapplied


def test_the_sentence_has_the_numbers_of_changed_and_added_students() -> None:
    updated = a_report(State.COMPLETED, updated=83, unchanged=4729)
    assert result_sentence(updated) == (
        "Student update 17 for Maple USD finished: 83 of 4,812 students changed. No action needed."
    )
    added = a_report(State.COMPLETED, updated=83, added=12, unchanged=4717)
    assert "83 of 4,812 students changed, 12 added. No action" in result_sentence(added)


def test_an_update_with_only_rejected_rows_applied_nothing() -> None:
    report = a_report(State.COMPLETED, rows=3, rejected=3)
    assert "finished: nothing was applied. 3 rows were rejected" in result_sentence(report)
