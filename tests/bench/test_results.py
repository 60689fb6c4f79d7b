"""What was measured, and the file it is kept in."""

from pathlib import Path

import pytest

from bench.results import Figures, Results


@pytest.mark.parametrize(
    ("values", "median"),
    [((3.0, 1.0, 2.0), 2.0), ((4.0, 1.0, 2.0, 3.0), 2.5), ((7.0,), 7.0), ((9.0, 1.0, 1.0), 1.0)],
)
def test_the_median_is_the_one_in_the_middle(values: tuple[float, ...], median: float) -> None:
    assert Figures(values).median == median


def test_the_spread_is_from_the_least_to_the_most() -> None:
    assert (Figures((3.0, 1.0, 2.0)).least, Figures((3.0, 1.0, 2.0)).most) == (1.0, 3.0)


def test_figures_are_those_of_the_records_that_say_so() -> None:
    results = Results()
    results.add("timing", who="floor", rows=10, seconds=1.0)
    results.add("timing", who="floor", rows=20, seconds=2.0)
    results.add("timing", who="rollbook", rows=10, seconds=3.0)
    results.add("cancel", who="floor", rows=10, seconds=4.0)
    assert results.figures("seconds", "timing", who="floor", rows=10) == Figures((1.0,))
    assert results.values("rows", "timing", who="floor") == [10, 20]


def test_there_are_no_figures_of_what_was_not_measured() -> None:
    assert Results().figures("seconds", "timing", who="floor") is None


def test_every_figure_survives_the_file(tmp_path: Path) -> None:
    results = Results({"cores": 2}, {"rows": [10]})
    results.add("status", update="idle", seconds=[0.01, 0.02])
    results.add("timing", who="floor", seconds=0.1234)
    results.save(tmp_path / "new" / "results.json")
    assert Results.load(tmp_path / "new" / "results.json") == results


def test_a_file_without_records_can_be_read_too(tmp_path: Path) -> None:
    Results().save(tmp_path / "results.json")
    assert Results.load(tmp_path / "results.json") == Results()
