"""A district's own codes for grades, as text and as stored."""

import pytest

from rollbook.districts.grade_codes import (
    MAX_CODES,
    check_grade_codes,
    describe_grade_codes,
    format_grade_codes,
    parse_grade_codes,
)


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("", {}),
        (" \r\n , ;", {}),
        ("-1 = PK", {"-1": "pk"}),
        ("-1=pk\n-2=pk\r14=12\r\n", {"-1": "pk", "-2": "pk", "14": "12"}),
        ("-1=PK,-2=PK; 15 = adult", {"-1": "pk", "-2": "pk", "15": "adult"}),
        ("PPCD = pre-k", {"ppcd": "pk"}),
        ("a=b = 4th", {"a=b": "4"}),
        ("X = 1, x = 1", {"x": "1"}),
        ("00 = PK", {"00": "pk"}),
        ("3 = 03", {"3": "3"}),
        ("13 = adult\nT1=1, ug = PK", {"13": "adult", "t1": "1", "ug": "pk"}),
        ("14 = 13", {"14": "13"}),
        ("Año 1 = 1", {"año 1": "1"}),
    ],
)
def test_entries_are_lines_or_separated_by_commas(text: str, codes: dict[str, str]) -> None:
    assert parse_grade_codes(text) == codes
    assert parse_grade_codes("\n".join(format_grade_codes(codes))) == codes


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("-1", "'-1' isn't a code and a grade, such as -1 = PK"),
        ("-1 =", "'-1 =' isn't a code and a grade, such as -1 = PK"),
        ("= PK", "'= PK' isn't a code and a grade, such as -1 = PK"),
        ("x = 14", "'14' isn't a grade; use PK, K, T1, 1–13, UG or Adult"),
        ("x = <clear>", "'<clear>' isn't a grade; use PK, K, T1, 1–13, UG or Adult"),
        ("x = 1\nX = 2", "the code 'X' has two grades; keep one of them"),
        ("x" * 21 + " = 1", f"the code '{'x' * 21}' isn't valid; use 1 to 20 printable characters"),
        ("K = 1", "the code 'k' is a grade itself and can't mean another one; remove it"),
        ("PK = UG", "the code 'pk' is a grade itself and can't mean another one; remove it"),
        ("14 = 13, 13 = adult", "the code '14' means 13, and 13 means adult; write 14 = adult"),
        ("a\u200bb = 1", "the code 'ab' isn't valid; use 1 to 20 printable characters"),
    ],
)
def test_the_first_invalid_entry_is_named(text: str, reason: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the text is compared
        parse_grade_codes(text)
    assert str(error.value) == reason


def test_the_number_of_codes_is_limited() -> None:
    check_grade_codes({f"x{number}": "1" for number in range(MAX_CODES)})
    with pytest.raises(ValueError, match="at most 40 codes are allowed, and these are 41"):
        parse_grade_codes(",".join(f"x{number}=1" for number in range(MAX_CODES + 1)))


def test_codes_are_described_in_one_line() -> None:
    assert describe_grade_codes({}) == "none"
    assert describe_grade_codes({"14": "12", "-1": "pk"}) == "-1 = pk and 14 = 12"
