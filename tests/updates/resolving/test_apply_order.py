"""The order in which rows that wait for each other can be applied."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollbook.updates.resolving.apply_order import dependency_order
from tests import depth

ROWS = st.integers(0, 8)
Waits = list[tuple[int, int]]


def reachable(waits: Waits, row: int) -> set[int]:
    """All rows that this one waits for, by way of others too: the naive way."""
    found: set[int] = set()
    news = {row}
    while news:
        news = {other for one, other in waits if one in news} - found
        found |= news
    return found


@given(st.lists(st.tuples(ROWS, ROWS), max_size=24))
@settings(max_examples=depth.examples(100))
def test_rings_are_those_who_wait_for_each_other_and_come_after_all_they_wait_for(
    waits: Waits,
) -> None:
    rings = dependency_order(waits)
    rows = {row for pair in waits for row in pair}
    assert sorted(row for ring in rings for row in ring) == sorted(rows)
    place = {row: at for at, ring in enumerate(rings) for row in ring}
    for row in rows:
        waited_for = reachable(waits, row)
        mates = {other for other in waited_for if row in reachable(waits, other)} | {row}
        assert set(rings[place[row]]) == mates
        assert all(place[other] < place[row] for other in waited_for - mates)


@pytest.mark.parametrize("size", [2, 500, 100_000])
def test_a_chain_of_any_length_has_its_order(size: int) -> None:
    assert dependency_order(pairwise(range(size))) == [[row] for row in reversed(range(size))]


@pytest.mark.parametrize("size", [1, 2, 500, 100_000])
def test_a_ring_of_any_length_is_one(size: int) -> None:
    [ring] = dependency_order([(row, (row + 1) % size) for row in range(size)])
    assert sorted(ring) == list(range(size))


def test_nobody_waits_and_nothing_is_ordered() -> None:
    assert dependency_order([]) == []
