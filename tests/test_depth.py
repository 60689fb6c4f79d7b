"""Which samples a run takes."""

import pytest

from tests import depth
from tests.conftest import (
    HERE,
    ON_BOTH_DATABASES,
    ON_ONE_DATABASE_A_DAY,
    SHARES_ON_POSTGRESQL,
    SLOWEST_FILES,
)

NAMES = [f"test_{number}" for number in range(1000)]


@pytest.mark.parametrize("share", [1 / 3, 1 / 2])
def test_a_share_of_the_tests_is_chosen(share: float) -> None:
    chosen = [name for name in NAMES if depth.is_chosen(name, share)]
    assert abs(len(chosen) / len(NAMES) - share) < 0.1


def test_all_are_chosen_where_nothing_is_sampled() -> None:
    assert all(depth.is_chosen(name, 1) for name in NAMES)


def test_the_same_seed_chooses_the_same_and_another_day_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def chosen() -> list[str]:
        return [name for name in NAMES if depth.is_chosen(name, 1 / 3)]

    today = chosen()
    assert chosen() == today
    monkeypatch.setattr(depth, "SEED", depth.SEED + 1)
    assert chosen() != today


def test_one_of_the_longest_tests_runs_every_day_and_each_has_its_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chosen = set()
    for day in range(100):
        monkeypatch.setattr(depth, "SEED", day)
        shares = {name: depth.share_of_longest(name) for name in depth.LONGEST}
        assert sorted(shares.values()) == [0, 0, 1]
        chosen.add(max(depth.LONGEST, key=shares.__getitem__))
    assert chosen == set(depth.LONGEST)


def test_the_files_and_folders_that_are_named_exist() -> None:
    folders = [path for path in SHARES_ON_POSTGRESQL if not (HERE / path).is_dir()]
    others = (*ON_ONE_DATABASE_A_DAY, *ON_BOTH_DATABASES, *SLOWEST_FILES)
    assert folders + [path for path in others if not (HERE / path).exists()] == []
