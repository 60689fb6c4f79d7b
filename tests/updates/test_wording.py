"""How figures are written wherever people read them."""

import pytest

from rollbook.updates.wording import duration, line_list, thousands


@pytest.mark.parametrize(("number", "written"), [(0, "0"), (999, "999"), (4812, "4,812"), (1234567, "1,234,567")])
def test_thousands_are_parted(number: int, written: str) -> None:
    assert thousands(number) == written


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0, "0.0 s"),
        (2.14, "2.1 s"),
        (9.94, "9.9 s"),
        (10, "10 s"),
        (48.4, "48 s"),
        (59.6, "1 min 0 s"),
        (200, "3 min 20 s"),
        (3599.6, "1 h 0 min"),
        (7500, "2 h 5 min"),
        (100_000, "27 h 46 min"),
    ],
)
def test_a_duration_is_told_as_people_would(seconds: float, written: str) -> None:
    assert duration(seconds) == written


@pytest.mark.parametrize(
    ("lines", "written"),
    [([], ""), ([3], "3"), ([3, 4], "3-4"), ([3, 17, 18, 19, 40], "3, 17-19, 40"), ([3, 5, 7], "3, 5, 7")],
)
def test_runs_of_lines_are_drawn_together(lines: list[int], written: str) -> None:
    assert line_list(lines) == written
