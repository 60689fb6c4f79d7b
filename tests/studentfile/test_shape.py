"""How the values of columns look, without any value."""

import json
import random
import re
from collections import Counter
from string import ascii_letters, digits

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbook.studentfile import shape
from rollbook.studentfile.reading.header import Header
from rollbook.studentfile.shape import Shape, distance, shape_of


@pytest.mark.parametrize(
    ("value", "mask"),
    [
        ("00012345", "99999999"),
        ("1.23E+05", "9.99A+99"),
        ("05/13/2014", "99/99/9999"),
        ("Brook", "Aa+"),
        ("BROOK", "A+"),
        ("Al", "Aa"),
        ("McDonald", "AaAa+"),
        ("Núñez", "Aä+a+"),
        ("李小龙", "ä+"),
        ("Lee-Ruiz, Jr.", "Aa+-Aa+, Aa."),
        ("a@home.example", "a@a+.a+"),
        ("1234567890123456", "9+"),
        ("-----", "-+"),
        ("x\t\x00y", "aä+a"),
        ("x1" * 5000, "a9" * 12),
    ],
)
def test_a_mask_has_no_letter_and_no_digit_of_the_value(value: str, mask: str) -> None:
    header, _ = Header.parse(["GRADE"])
    column = shape_of(header, [[value]] * shape.MIN_CELLS).columns["GRADE"]
    assert column.masks == {mask: shape.MIN_CELLS}
    assert len(mask) <= shape.MAX_MASK_LENGTH


def of(header: str, *rows: str) -> Shape:
    parsed, _ = Header.parse(header.split(","))
    return shape_of(parsed, [row.split(",") for row in rows])


def test_a_shape_has_blanks_masks_and_lengths() -> None:
    found = of("STUDENT_ID,GRADE,LUNCH", *(f"00{number},5,x" for number in range(10, 18)), ",k,x")
    assert found.as_json() == {
        "records": 9,
        "columns": {
            "STUDENT_ID": {"blank": 1, "masks": {"9999": 8}, "lengths": {"4": 8}},
            "GRADE": {"blank": 0, "masks": {"9": 8}, "lengths": {"1": 9}},
        },
    }
    assert Shape.from_json(json.loads(json.dumps(found.as_json()))) == found


def test_a_mask_of_few_cells_is_not_kept() -> None:
    """It could tell something about one student."""
    found = of("LAST_NAME", *["Brook"] * 20, "O'Brien-Núñez, Jr.")
    assert found.columns["LAST_NAME"].masks == {"Aa+": 20}


def test_of_passwords_only_their_number_is_kept() -> None:
    found = of("STUDENT_ID,PASSWORD", *["1,secret99"] * 20)
    assert found.as_json()["columns"]["PASSWORD"] == {"blank": 0, "masks": {}, "lengths": {}}


def test_a_million_distinct_masks_are_bounded() -> None:
    chance = random.Random(1)
    alphabet = "aA9.-_ #"
    rows = ["".join(chance.choices(alphabet, k=200)) for _ in range(shape.MAX_RECORDS)]
    found = of("ADDITIONAL_INFO_1", *rows, *rows[:1] * 20)
    stored = found.as_json()["columns"]["ADDITIONAL_INFO_1"]
    assert len(stored["masks"]) == 1
    assert stored["lengths"] == {str(shape.MAX_LENGTH): shape.MAX_RECORDS + 20}
    many = of(
        "ADDITIONAL_INFO_1",
        *(f"{'9.' * (number % 12)}{'-a' * (number % 11)}" for number in range(5000)),
    )
    assert len(many.columns["ADDITIONAL_INFO_1"].masks) == shape.MAX_MASKS
    assert len(json.dumps(many.as_json())) < 2000


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (["0012"] * 10, ["0012"] * 10, 0.0),
        (["0012"] * 10, ["9999"] * 20, 0.0),
        (["0012"] * 10, ["12"] * 10, 1.0),
        (["0012"] * 10, [""] * 10, 1.0),
        (["0012"] * 10, [*["0012"] * 5, *["x"] * 5], 0.5),
        ([*["Abcd"] * 5, *["1234"] * 5], ["1234"] * 10, 0.5),
    ],
)
def test_the_distance_is_the_share_of_cells_that_differ(
    one: list[str], other: list[str], expected: float
) -> None:
    first, second = of("STUDENT_ID", *one), of("STUDENT_ID", *other)
    assert distance(first, second) == pytest.approx({"STUDENT_ID": expected})
    assert distance(second, first) == pytest.approx({"STUDENT_ID": expected})


def test_only_columns_that_both_have_are_compared() -> None:
    assert distance(of("STUDENT_ID,GRADE", "1,2"), of("GRADE,ELL", "2,y")) == {"GRADE": 0.0}


def test_shapes_without_rows_can_be_compared() -> None:
    assert distance(of("GRADE"), of("GRADE")) == {"GRADE": 0.0}
    assert distance(Shape(), of("GRADE", "5")) == {}


@given(
    st.lists(st.text("aÉz9.- _#\0\t\x7f\x85\xa0äé李😀\ud800\udcff\n", max_size=120), max_size=12)
)
def test_values_that_are_looked_at_together_have_the_masks_that_each_has_alone(
    values: list[str],
) -> None:
    parsed, _ = Header.parse(["ADDITIONAL_INFO_1"])
    found = shape_of(parsed, [[value] for value in values] * shape.MIN_CELLS).columns
    filled = list(filter(None, map(str.strip, values)))
    masks, lengths = Counter(map(_mask, filled)), Counter(min(len(each), 40) for each in filled)
    column = found["ADDITIONAL_INFO_1"]
    assert column.masks == {mask: count * shape.MIN_CELLS for mask, count in masks.items()}
    assert column.lengths == {size: count * shape.MIN_CELLS for size, count in lengths.items()}
    assert column.blank == (len(values) - len(filled)) * shape.MIN_CELLS


def _mask(value: str) -> str:
    """Return the mask of a value, character by character."""
    classes = ""
    for character in value[: 4 * shape.MAX_MASK_LENGTH]:
        if character in digits:
            classes += "9"
        elif character in ascii_letters:
            classes += "a" if character.islower() else "A"
        else:
            classes += character if " " <= character <= "~" else "ä"
    classes = re.sub(r"([aAä])\1+|([^9aAä])\2{2,}|9{13,}", _shorten, classes)
    return classes[: shape.MAX_MASK_LENGTH]


def _shorten(run: re.Match[str]) -> str:
    return f"{run[0][0]}+"
