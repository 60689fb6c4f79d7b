"""The fits through measured points."""

import pytest

from bench import fit


def test_the_exponent_of_a_straight_line_through_nothing_is_one() -> None:
    assert fit.exponent([(1_000, 0.5), (10_000, 5.0), (1_000_000, 500.0)]) == pytest.approx(1.0)


def test_the_exponent_of_a_square_is_two() -> None:
    assert fit.exponent(
        [(rows, 3e-9 * rows**2) for rows in (1_000, 3_000, 10_000)]
    ) == pytest.approx(2.0)


def test_a_fixed_cost_makes_the_exponent_less_than_one() -> None:
    assert (
        fit.exponent([(rows, 1.0 + rows * 1e-5) for rows in (1_000, 10_000, 100_000, 1_000_000)])
        < 0.9
    )


def test_the_line_tells_the_fixed_cost_from_that_of_a_row() -> None:
    line = fit.line([(rows, 0.4 + rows * 3e-6) for rows in (1_000, 10_000, 1_000_000)])
    assert line.fixed == pytest.approx(0.4)
    assert line.each == pytest.approx(3e-6)


def test_a_disturbed_large_run_hardly_moves_the_fixed_cost() -> None:
    straight = [(rows, 0.4 + rows * 1e-5) for rows in (1_000, 3_000, 10_000, 300_000)]
    assert fit.line([*straight, (1_000_000, 14.0)]).fixed == pytest.approx(0.4, abs=0.03)


@pytest.mark.parametrize("points", [[], [(10, 1.0)], [(10, 1.0), (10, 2.0)]])
def test_there_is_no_line_through_one_point(points: list[fit.Point]) -> None:
    with pytest.raises(ValueError, match="two different points"):
        fit.exponent(points)
