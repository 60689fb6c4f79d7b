"""Arrays of students hold what lists of the same numbers would, of whatever size they are."""

from array import array

from hypothesis import given
from hypothesis import strategies as st

from rollbook.updates.manifest import student_arrays

SMALL = st.integers(-(1 << 31), (1 << 31) - 1)
LARGE = st.integers(-(1 << 63) + 1, (1 << 63) - 1)
WITH_ZERO_BYTES = st.sampled_from([0, 1, 255, 256, 1 << 16, 1 << 24, 1 << 32, 1 << 56, -256])
"""Beside each other, these have as many zero bytes as a zero, not only where there is one."""

ids = st.lists(WITH_ZERO_BYTES | SMALL) | st.lists(WITH_ZERO_BYTES | SMALL | LARGE)


def arrayed(numbers: list[int]) -> "array[int]":
    """Return numbers as they are after they were stored."""
    return student_arrays.unpack(*student_arrays.pack(array("q", numbers)))


@given(ids)
def test_what_is_stored_is_what_was_there(numbers: list[int]) -> None:
    packed, id_bytes = student_arrays.pack(array("q", numbers))
    fits = all(-(1 << 31) <= number < 1 << 31 for number in numbers)
    assert (len(packed), id_bytes) == ((4 if fits else 8) * len(numbers), 4 if fits else 8)
    assert list(student_arrays.unpack(packed, id_bytes)) == numbers


@given(ids, ids)
def test_joined_arrays_have_the_numbers_of_both(first: list[int], second: list[int]) -> None:
    assert list(student_arrays.join(arrayed(first), arrayed(second))) == first + second
    assert list(student_arrays.join(array("q", first), arrayed(second))) == first + second


@given(ids, st.data())
def test_others_are_put_in_their_place(numbers: list[int], data: st.DataObject) -> None:
    stored = arrayed(numbers)
    places = st.integers(0, max(0, len(numbers) - 1))
    others = data.draw(st.dictionaries(places, LARGE)) if numbers else {}
    replaced = student_arrays.replace(stored, others, others.values())
    assert list(replaced) == [others.get(at, number) for at, number in enumerate(numbers)]
    assert list(stored) == numbers


@given(ids)
def test_zeros_and_negative_numbers_are_found(numbers: list[int]) -> None:
    stored = arrayed(numbers)
    places = list(enumerate(numbers))
    assert list(student_arrays.zeros(stored)) == [at for at, number in places if number == 0]
    assert student_arrays.with_problem(stored) == [at for at, number in places if number < 0]


@given(ids)
def test_enrolled_students_are_those_of_rows_with_and_without_a_problem(numbers: list[int]) -> None:
    small = [number for number in numbers if number != -(1 << 31)]
    assert list(student_arrays.enrolled(arrayed(small))) == [abs(each) for each in small if each]
