"""A plausible date of birth is never replaced by an implausible one, nor by a guess."""

from datetime import UTC, datetime

import pytest
from django.utils import timezone

from rollbook.districts.models import District
from rollbook.updates.state_machine import Mode, State
from tests.updates.night import (
    a_class,
    counts,
    enroll,
    finish,
    last,
    problems,
    run,
    send,
    values_of,
)

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)


@pytest.fixture
def school(maple: District, monkeypatch: pytest.MonkeyPatch) -> District:
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    enroll(maple, a_class(3))
    return maple


@pytest.mark.parametrize(
    ("dob", "code"),
    [
        ("1/1/1970", "implausible_dob"),
        ("5/13/1950", "implausible_dob"),
        ("9/2/2000", None),
        ("9/1/2000", "implausible_dob"),
        ("9/1/2024", None),
        ("9/2/2024", "implausible_dob"),
        ("01/01/1900", "null_date"),
        ("1900-01-01 00:00:00.000", "null_date"),
        ("1899-12-30", "null_date"),
        ("0001-01-01T00:00:00", "null_date"),
        ("9999-12-31", "null_date"),
        ("9/2/2026", "future_date"),
        ("2014-05-14T05:00:00Z", "time_of_day"),
    ],
)
def test_a_plausible_date_of_birth_stays(school: District, dob: str, code: str | None) -> None:
    before = values_of(school, "s000", "DOB", "GRADE")
    result = run(school, f"STUDENT_ID,DOB,GRADE\ns000,{dob},7")
    assert problems(last(school)) == ({2: [code]} if code else {})
    assert counts(result) == {"rejected" if code else "updated": 1}
    assert (values_of(school, "s000", "DOB", "GRADE") == before) == bool(code)


def test_an_unusual_age_can_be_added_and_changed_with_a_warning(school: District) -> None:
    text = "STUDENT_ID,FIRST_NAME,LAST_NAME,DOB\nadult,Ann,Adult,{}"
    for dob in ("5/13/1950", "5/13/1951", "1970-01-01"):
        run(school, text.format(dob), Mode.ADD)
        assert problems(last(school)) == {2: ["unusual_age"]}
    assert values_of(school, "adult", "DOB") == ("1970-01-01",)
    run(school, text.format("5/13/2010"), Mode.ADD)
    assert problems(last(school)) == {}
    run(school, text.format("1970-01-01"), Mode.ADD)
    assert problems(last(school)) == {2: ["implausible_dob"]}


def test_the_epoch_is_rejected_for_everybody_if_it_fills_the_column(school: District) -> None:
    text = "STUDENT_ID,FIRST_NAME,LAST_NAME,DOB\nnew1,A,B,1/1/1970\nnew2,C,D,1970-01-01"
    assert counts(run(school, text, Mode.ADD)) == {"rejected": 2}
    assert problems(last(school)) == {2: ["null_date"], 3: ["null_date"]}


def test_a_day_first_file_is_refused_until_the_district_says_so(school: District) -> None:
    text = "STUDENT_ID,DOB\ns000,13/05/2014\ns001,02/11/2013\ns002,05/06/2013"
    before = values_of(school, "s001", "DOB")
    update = send(school, text)
    assert update.state == State.REFUSED
    assert problems(update) == {2: ["day_first_dates"]}
    assert values_of(school, "s001", "DOB") == before
    school.date_order = "dmy"
    school.save()
    assert counts(run(school, text)) == {"updated": 3}
    dates = [values_of(school, key, "DOB") for key in ("s000", "s001", "s002")]
    assert dates == [("2014-05-13",), ("2013-11-02",), ("2013-06-05",)]
    assert send(school, "STUDENT_ID,DOB\ns000,05/13/2014").state == State.REFUSED
    # The rules are those of the file: the setting may change while it waits.
    waiting = send(school, "STUDENT_ID,DOB\ns000,03/04/2012")
    school.date_order = "mdy"
    school.save()
    assert counts(finish(waiting)) == {"updated": 1}
    assert values_of(school, "s000", "DOB") == ("2012-04-03",)


def test_a_file_with_both_orders_changes_only_dates_that_prove_their_order(
    school: District,
) -> None:
    before = values_of(school, "s002", "DOB")
    text = "STUDENT_ID,DOB\ns000,13/05/2014\ns001,11/25/2013\ns002,05/06/2013"
    assert counts(run(school, text)) == {"updated": 2, "rejected": 1}
    assert problems(last(school)) == {2: ["mixed_date_orders"], 4: ["ambiguous_date"]}
    assert values_of(school, "s000", "DOB") == ("2014-05-13",)
    assert values_of(school, "s001", "DOB") == ("2013-11-25",)
    assert values_of(school, "s002", "DOB") == before
