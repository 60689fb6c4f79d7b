"""Sets of students as text: what is encoded, and how much room it takes."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbook.accounts.audit import student_sets

KEYS = st.sets(st.integers(1, 10**9), max_size=60)


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ([], ""),
        ([7], "7"),
        ([17, 18, 19, 49], "17+2,30"),
        ([49, 19, 18, 17, 17], "17+2,30"),
        ([1, 3, 4], "1,2+1"),
    ],
)
def test_the_text_has_distances_and_runs(keys: list[int], text: str) -> None:
    assert student_sets.encode(keys) == text


@given(KEYS, st.integers(1, 60))
def test_a_set_is_read_as_it_was_written(keys: set[int], other: int) -> None:
    text = student_sets.encode(keys)
    assert student_sets.decode(text) == sorted(keys)
    assert student_sets.count(text) == len(keys)
    assert all(student_sets.contains(text, key) for key in keys)
    assert student_sets.contains(text, other) == (other in keys)


@given(st.integers(1, 10**6), st.integers(1, 400))
def test_a_run_is_one_item(first: int, length: int) -> None:
    text = student_sets.encode(range(first, first + length))
    assert "," not in text
    assert student_sets.count(text) == length


def test_a_page_and_a_roster_are_short() -> None:
    chance = random.Random(1)
    page = chance.sample(range(1, 100_001), 50)
    assert len(student_sets.encode(page)) < 300
    assert len(student_sets.encode(range(1, 100_001))) < 10
