"""List cells: how they are split and joined, and that what is joined is read back unchanged."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbook.studentfile.columns import BY_NAME
from rollbook.studentfile.values.free_text import has_bare_separator, join_list, split_list
from rollbook.studentfile.values.text_checks import InvalidValue, ValueWithWarning


@pytest.mark.parametrize(
    ("cell", "items"),
    [
        *(("", []), ("&", []), ("Band", ["Band"]), ("Band&Chess", ["Band", "Chess"])),
        *((" Band & Chess ", ["Band", "Chess"]), ("Band&&Chess", ["Band&Chess"])),
        *(("Arts && Crafts", ["Arts & Crafts"]), ("R&&D&Band", ["R&D", "Band"])),
        *(("A&&&B", ["A&", "B"]), ("A& &&B", ["A", "&B"]), ("&&&&", ["&&"])),
        *(("a;b&", ["a;b"]), ("a|b&c", ["a|b", "c"])),
    ],
)
def test_a_cell_is_split(cell: str, items: list[str]) -> None:
    assert split_list(cell) == items


_NAME = st.text(st.sampled_from("ab&;| "), min_size=1, max_size=6).map(str.strip)
_NAMES = st.lists(_NAME.filter(lambda name: name.strip("&;| ") != ""), max_size=4)


@given(_NAMES)
def test_what_is_joined_is_split_into_the_same_names(names: list[str]) -> None:
    assert split_list(join_list(names)) == sorted({*names})


@given(_NAMES.filter(len))
def test_the_rule_of_a_column_reads_what_is_joined_back_unchanged(names: list[str]) -> None:
    spaced = [" ".join(name.split()) for name in names]
    assert BY_NAME["GROUPS"].rule(join_list(spaced).strip()) == join_list(spaced)


@pytest.mark.parametrize(
    ("column", "cell", "value"),
    [
        ("STAFF", "b@x.example;a@x.example", "a@x.example&b@x.example"),
        ("STAFF", "b@x.example; a@x.example;", "a@x.example&b@x.example"),
        ("STAFF", "b@x.example|a@x.example", "a@x.example&b@x.example"),
        ("STAFF", "b@x.example, a@x.example", "a@x.example&b@x.example"),
        ("GROUPS", "Band;Chess", "Band&Chess"),
        ("GROUPS", "Band|Chess", "Band&Chess"),
        ("GROUPS", "Arts && Crafts;Band", "Arts && Crafts&Band"),
        ("CLASSIFICATIONS", "Dyslexia;Autism", "Autism&Dyslexia"),
    ],
)
def test_other_separators_are_accepted_with_a_warning(column: str, cell: str, value: str) -> None:
    assert BY_NAME[column].rule(cell) == ValueWithWarning(value, "list_separator")


@pytest.mark.parametrize("cell", ["Band, Chess", "Mon;Wed|Fri", "Arts && Crafts"])
def test_a_cell_without_one_separator_is_one_name(cell: str) -> None:
    assert split_list(str(BY_NAME["GROUPS"].rule(cell))) == [cell.replace("&&", "&")]


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("STAFF", "a@x.example b@x.example"),
        ("STAFF", "a@x.example&nobody"),
        ("STAFF", "a@x.example;b@x.example|c@x.example"),
        ("CLASSIFICATIONS", "Dyslexia&Flu"),
        ("GROUPS", "Red&NULL"),
    ],
)
def test_the_hint_of_a_list_says_how_values_are_joined(column: str, cell: str) -> None:
    result = BY_NAME[column].rule(cell)
    assert isinstance(result, InvalidValue)
    assert "joined by &" in result.hint


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        *(("R&D", True), ("Arts & Crafts", True), ("A&&B", False), ("A&&&B", True)),
        *(("Band;Chess", False), ("a;b&", False), (" & Band", False)),
    ],
)
def test_a_bare_separator_is_found(cell: str, *, expected: bool) -> None:
    assert has_bare_separator(cell) is expected
