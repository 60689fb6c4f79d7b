"""The table of what states and outcomes are called."""

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
from rollbook.updates.state_machine import UNFINISHED, Outcome, State
from rollbook.web.pages.base.templatetags.pages import MARKS
from tests.web.reports import a_report


def test_every_state_and_every_outcome_has_its_words() -> None:
    assert list(STATES) == list(State)
    assert list(OUTCOMES) == list(Outcome)
    assert {words.verdict for words in STATES.values()} <= set(VERDICT_MEANINGS)


def test_a_word_is_shown_in_one_way_only() -> None:
    shown = {words.word: (words.sign, words.tone) for words in ALL}
    assert len(shown) == len(ALL)
    assert shown.items() <= MARKS.items()


def test_every_end_has_its_place_between_good_and_bad() -> None:
    assert set(BEST_TO_WORST) > {
        words for state, words in STATES.items() if state not in UNFINISHED
    }
    assert RUNNING in BEST_TO_WORST


@pytest.mark.parametrize("state", State)
def test_an_update_has_a_sentence_once_it_has_ended(state: State) -> None:
    report = a_report(state, rows=3, updated=1)
    assert bool(result_sentence(report)) == (state not in UNFINISHED)
    assert "{" not in result_sentence(report)


def test_rejected_rows_tell_on_a_completed_update_alone() -> None:
    assert (
        words_of(a_report(State.COMPLETED, rows=3, updated=1, rejected=2)).word
        == "completed with errors"
    )
    assert words_of(a_report(State.CANCELED, rows=3, rejected=2)).word == "canceled"


def test_one_row_is_told_in_the_singular() -> None:
    rejected = a_report(State.COMPLETED, rows=3, updated=2, rejected=1)
    assert "1 row of the file had errors and was not applied" in result_sentence(rejected)
    canceled = a_report(State.CANCELED, rows=2, updated=1)
    sentence = result_sentence(canceled)
    assert (
        "The 1 student that was already changed stays changed; 1 row was not processed." in sentence
    )
    assert "No student was changed; 2 rows were not processed." in result_sentence(
        a_report(State.CANCELED, rows=2)
    )
