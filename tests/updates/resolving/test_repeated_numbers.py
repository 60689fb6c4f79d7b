"""Find repeated numbers in a large array."""

from array import array

from hypothesis import given
from hypothesis import strategies as st

from rollbook.updates.resolving.repeated_numbers import repeated_numbers


@given(st.lists(st.integers(1, 40) | st.integers(1, 1 << 62), max_size=60))
def test_repeated_numbers_are_those_that_occur_more_than_once(numbers: list[int]) -> None:
    expected = {number for number in numbers if numbers.count(number) > 1}
    assert repeated_numbers(array("q", numbers)) == expected


def test_different_numbers_with_the_same_remainder_are_not_repeated() -> None:
    divisor = 8 * 3 + 1
    assert repeated_numbers(array("q", [7, 7 + divisor, 7 + 2 * divisor])) == set()
    assert repeated_numbers(array("q", [7, 7 + divisor, 7])) == {7}
