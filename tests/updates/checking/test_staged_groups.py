"""Staged rows that are counted while they are checked: the summary is that of all staged rows."""

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rollbook.districts.models import District
from rollbook.updates import runner
from rollbook.updates.checking import check_range, staged_groups
from rollbook.updates.models import CheckedRange, UpdateJob
from rollbook.updates.planning import split
from rollbook.updates.planning.summarize import summarize
from rollbook.updates.planning.summary import Summary
from rollbook.updates.row_outcomes import FIRST_WITHOUT_LINE
from rollbook.updates.state_machine import Mode, State
from tests import depth
from tests.updates.night import a_class, counts, enroll, finish, lift_limits, send

HEADER = "STUDENT_ID,USERNAME,FIRST_NAME,LAST_NAME,DOB,GRADE,SCHOOL_ID"
STUDENTS = 12


@pytest.fixture(scope="module")
def enrolled(maple_once: District) -> None:
    enroll(maple_once, a_class(STUDENTS))
    lift_limits(maple_once)


@pytest.fixture
def school(
    enrolled: None, maple: District, small_batches: None, monkeypatch: pytest.MonkeyPatch
) -> District:
    """Return a district whose rows are counted in batches of two, however few they are."""
    monkeypatch.setattr(staged_groups, "MIN_ROWS", 1)
    monkeypatch.setattr(staged_groups, "MIN_ROWS_OF_GROUP", 0)
    monkeypatch.setattr(staged_groups, "MAX_ROWS", 3)
    return maple


def a_row(number: int, grade: str = "5", place: str = "100", username: str = "") -> str:
    """Return the row of a student; from the thirteenth on, it's a new one."""
    name = username or f"u{number:03}"
    return f"s{number:03},{name},Ann{number:03},Lee{number:03},2012-05-13,{grade},{place}"


def without_counts(update: UpdateJob) -> Summary:
    """Return the summary that the database makes of all staged rows."""
    CheckedRange.objects.filter(update=update).update(groups_from_line=0, staged_groups="")
    return summarize(update)


numbers = st.integers(0, STUDENTS + 4)
rows_of_files = st.lists(
    st.builds(
        a_row,
        numbers,
        st.sampled_from(["4", "5", "6", "", "99"]),
        st.sampled_from(["100", "200", "999"]),
        numbers.map("u{0:03}".format),
    )
    | st.builds(a_row, numbers),
    max_size=12,
)


@settings(
    max_examples=depth.examples(), suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows_of_files, st.sampled_from(Mode), st.integers(0, 8))
def test_a_summary_is_that_of_all_staged_rows(
    school: District, rows: list[str], mode: Mode, steps_before_a_kill: int
) -> None:
    with transaction.atomic():
        update = send(school, "\n".join([HEADER, *rows]), mode, is_check=True)
        for _ in zip(runner.run_steps(update.pk), range(steps_before_a_kill), strict=False):
            pass
        finish(update)
        if update.state == State.CHECKED:
            counted = summarize(update)
            assert Summary.from_json(update.summary or {}) == counted == without_counts(update)
        transaction.set_rollback(True)


def test_counted_rows_are_not_grouped_by_the_database(school: District) -> None:
    update = send(school, "\n".join([HEADER, *map(a_row, range(4, 16))]), Mode.ADD, is_check=True)
    assert counts(finish(update)) == {"not_processed": 12}
    counted = staged_groups.load(update)
    assert counted.uncounted == [range(2), range(14, FIRST_WITHOUT_LINE)]
    assert sorted(counted.groups.values()) == [4, 8]


def test_rows_around_one_that_is_rejected_are_grouped_by_the_database(school: District) -> None:
    rows = [*map(a_row, range(8)), a_row(8, username="u011"), *map(a_row, (9, 10))]
    update = send(school, "\n".join([HEADER, *rows]), is_check=True)
    assert counts(finish(update)) == {"rejected": 1, "not_processed": 10}
    counted = staged_groups.load(update)
    assert counted.uncounted == [range(2), range(10, FIRST_WITHOUT_LINE)]
    assert sum(counted.groups.values()) == 8


@pytest.mark.parametrize(
    ("setting", "number", "is_counted"),
    [
        ("MIN_ROWS", 7, True),
        ("MIN_ROWS", 8, False),
        ("MIN_ROWS_OF_GROUP", 3, True),
        ("MIN_ROWS_OF_GROUP", 4, False),
    ],
)
def test_few_rows_and_many_groups_are_left_to_the_database(
    school: District,
    monkeypatch: pytest.MonkeyPatch,
    setting: str,
    number: int,
    is_counted: bool,
) -> None:
    for each in ("MAX_UNKNOWN", "MAX_RECORDS"):
        monkeypatch.setattr(check_range, each, 100)
    monkeypatch.setattr(staged_groups, "MAX_ROWS", 100)
    monkeypatch.setattr(staged_groups, setting, number)
    rows = [a_row(number, place=f"{number % 2 + 1}00") for number in range(7)]
    update = send(school, "\n".join([HEADER, *rows]), is_check=True)
    finish(update)
    assert bool(staged_groups.load(update).groups) is is_counted
    assert summarize(update).district.changed == len(rows)


def test_both_updates_of_a_split_are_counted_without_the_rows_of_the_other(
    school: District,
) -> None:
    rows = [a_row(number, place=f"{number % 2 + 1}00") for number in range(8)]
    update = send(school, "\n".join([HEADER, *rows]), is_check=True)
    finish(update)
    held = split.split(update, ["200"], update.received_at)
    assert (summarize(held).district.changed, summarize(update).district.changed) == (4, 4)
