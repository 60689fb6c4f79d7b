"""Why nobody is counted, which schools have rows, and the sets of IDs (pure)."""

from array import array
from typing import Any

import pytest

from rollbook.updates.absences.figures import (
    FEW_NAMED,
    MANY_REJECTED,
    REPEATED_ROWS,
    STATUS_PROTECTED,
    Figures,
    Rows,
    select_missing,
    why_not_counted,
)
from rollbook.updates.absences.id_set import IdSet


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({}, ""),
        ({"unnamed": 50}, ""),
        ({"unnamed": 51}, FEW_NAMED),
        ({"active": 0, "unnamed": 0}, ""),
        ({"rejected": 5}, ""),
        ({"rejected": 6}, MANY_REJECTED),
        ({"rows": 120, "rejected": 6}, ""),
        ({"unnamed": 51, "rejected": 6}, FEW_NAMED),
        ({"repeats": True, "unnamed": 51}, REPEATED_ROWS),
        ({"is_protected": True}, STATUS_PROTECTED),
    ],
)
def test_why_nobody_is_counted(facts: dict[str, Any], code: str) -> None:
    usual: dict[str, Any] = {"active": 100, "unnamed": 10, "rows": 100, "rejected": 0}
    flags = {"repeats": False, "is_protected": False}
    assert why_not_counted(**{**usual, **flags, **facts}) == code


@pytest.mark.parametrize(
    ("present", "rows", "missing"),
    [
        (1, Rows(), [7]),
        (0, Rows(), []),
        (0, Rows(named=True), [7]),
        (2, Rows(leaving=2), []),
        (3, Rows(leaving=2), [7]),
        (2, Rows(named=True, leaving=2), [7]),
    ],
)
def test_a_school_has_rows_if_one_is_about_a_student_who_stays_or_names_it(
    present: int, rows: Rows, missing: list[int]
) -> None:
    found = select_missing({"100": [7], "200": []}, {"100": present}, {"100": rows})
    assert found == (missing, () if missing else ("100",))


def test_figures_are_read_as_they_were_stored() -> None:
    figures = Figures(20, 3, 2, 1, schools=("200",), postponed=1)
    assert Figures.from_json(figures.as_json()) == figures


@pytest.mark.parametrize("ids", [[5, 6, 7, 9], [5, 6, 10**12, 9], [5]])
def test_a_set_has_what_was_added_and_ignores_others(ids: list[int]) -> None:
    possible = array("q", ids)
    found = IdSet([possible, array("q")])
    assert list(found.missing_from(possible)) == ids
    found.add([1, 6, 8, 10**15])
    assert list(found.missing_from(possible)) == [each for each in ids if each != 6]


def test_a_set_of_nothing_is_empty() -> None:
    found = IdSet([])
    found.add([1])
    assert list(found.missing_from(array("q"))) == []
