"""The closest known name for a mistyped one."""

import pytest

from rollbook.studentfile.spelling import closest_match, edit_distance


@pytest.mark.parametrize(
    ("a", "b", "distance"),
    [
        ("", "", 0),
        ("", "abc", 3),
        ("chek", "check", 1),
        ("GRDAE", "GRADE", 1),
        ("mode", "note", 2),
        ("ca", "abc", 3),
    ],
)
def test_the_distance_is_a_number_of_edits(a: str, b: str, distance: int) -> None:
    assert edit_distance(a, b) == edit_distance(b, a) == distance


def test_the_closest_name_is_at_most_two_edits_away() -> None:
    assert closest_match("chek", ["mode", "check", "note"]) == "check"
    assert closest_match("chek", ["checkout"]) is None
    assert closest_match("chek", []) is None
    assert closest_match("checks", ["check"], within=0) is None
