"""The apply order of rows that depend on each other."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollbook.updates.resolving.apply_order import dependency_order
from tests import depth

ROWS = st.integers(0, 8)
Dependencies = list[tuple[int, int]]


def reachable(dependencies: Dependencies, row: int) -> set[int]:
    """Return all rows on which this one depends, directly or not, in the naive way."""
    reached: set[int] = set()
    latest = {row}
    while latest:
        latest = {other for one, other in dependencies if one in latest} - reached
        reached |= latest
    return reached


@given(st.lists(st.tuples(ROWS, ROWS), max_size=24))
@settings(max_examples=depth.examples(100))
def test_components_are_cycles_and_follow_all_rows_they_depend_on(
    dependencies: Dependencies,
) -> None:
    components = dependency_order(dependencies)
    rows = {row for pair in dependencies for row in pair}
    assert sorted(row for component in components for row in component) == sorted(rows)
    place = {row: at for at, component in enumerate(components) for row in component}
    for row in rows:
        needed = reachable(dependencies, row)
        mates = {other for other in needed if row in reachable(dependencies, other)} | {row}
        assert set(components[place[row]]) == mates
        assert all(place[other] < place[row] for other in needed - mates)


@pytest.mark.parametrize("size", [2, 500, 100_000])
def test_a_chain_of_any_length_is_ordered(size: int) -> None:
    assert dependency_order(pairwise(range(size))) == [[row] for row in reversed(range(size))]


@pytest.mark.parametrize("size", [1, 2, 500, 100_000])
def test_a_cycle_of_any_length_is_one_component(size: int) -> None:
    [cycle] = dependency_order([(row, (row + 1) % size) for row in range(size)])
    assert sorted(cycle) == list(range(size))


def test_no_dependencies_have_no_order() -> None:
    assert dependency_order([]) == []
