"""Which samples a run takes."""

import pytest

from tests import depth
from tests.conftest import HERE, SHARES_ON_POSTGRESQL

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


def test_the_folders_that_are_tested_in_part_exist() -> None:
    assert [path for path in SHARES_ON_POSTGRESQL if not (HERE / path).is_dir()] == []
