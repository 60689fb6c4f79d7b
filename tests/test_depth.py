"""Which samples a run takes."""

from datetime import date, timedelta

import pytest

from tests import depth
from tests.conftest import (
    HERE,
    ON_BOTH_DATABASES,
    ON_ONE_DATABASE_A_DAY,
    SHARES_IN_PROCESS,
    SHARES_OF_PROCESSES,
    SHARES_ON_POSTGRESQL,
    SLOWEST_FILES,
)

NAMES = [f"test_{number}" for number in range(1000)]
DAYS = [date(2026, 11, 25) + timedelta(days=number) for number in range(60)]


@pytest.mark.parametrize("share", [1 / 3, 1 / 2])
def test_a_share_of_the_tests_is_chosen(share: float) -> None:
    chosen = [name for name in NAMES if depth.is_chosen(name, share)]
    assert abs(len(chosen) / len(NAMES) - share) < 0.1


def test_all_are_chosen_where_nothing_is_sampled() -> None:
    assert all(depth.is_chosen(name, 1) for name in NAMES)


@pytest.mark.parametrize("days", [1, 2, 3, 4, 16])
def test_each_test_runs_every_so_many_days_and_on_the_databases_in_turn(
    days: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: dict[str, list[tuple[int, bool]]] = {name: [] for name in NAMES[:50]}
    for number, day in enumerate(DAYS):
        monkeypatch.setattr(depth, "SEED", int(f"{day:%Y%m%d}"))
        for name in filter(lambda name: depth.is_chosen(name, 1 / days), runs):
            runs[name].append((number, depth.is_on_postgresql(name, 1 / days)))
    for (first, on_postgresql), *others in runs.values():
        assert first < days
        expected = [
            (first + turn * days, on_postgresql ^ (turn % 2)) for turn in range(1, 1 + len(others))
        ]
        assert others == expected


def test_a_seed_that_is_no_date_chooses_the_same_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(depth, "SEED", 7)
    chosen = [name for name in NAMES if depth.is_chosen(name, 1 / 3)]
    assert chosen == [name for name in NAMES if depth.is_chosen(name, 1 / 3)]
    monkeypatch.setattr(depth, "SEED", 8)
    assert not {name for name in NAMES if depth.is_chosen(name, 1 / 3)} & set(chosen)


def test_the_files_and_folders_that_are_named_exist() -> None:
    folders = [path for path in SHARES_ON_POSTGRESQL if not (HERE / path).is_dir()]
    others = (
        *SHARES_IN_PROCESS,
        *SHARES_OF_PROCESSES,
        *ON_ONE_DATABASE_A_DAY,
        *ON_BOTH_DATABASES,
        *SLOWEST_FILES,
    )
    assert folders + [path for path in others if not (HERE / path).exists()] == []
