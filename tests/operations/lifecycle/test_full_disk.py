"""A district is deleted while the disk is full: it says so, and is finished later."""

from pathlib import Path

import pytest

from tests import depth
from tests.installations import copied
from tests.operations.places import disturbed, events, filled, rollbook

pytestmark = pytest.mark.process

SAMPLES, NIGHTLY = 3, 60
DELETE = ("district", "delete", "maple-usd", "--name", "Maple USD", "--without-export")


@pytest.mark.parametrize("how", ["full", "database_full"])
def test_a_deletion_on_a_full_disk_says_so_and_is_finished_by_the_next(
    how: str, tmp_path: Path
) -> None:
    data = filled(tmp_path / "data")
    rollbook(data, "district", "rename", "maple-usd", "--name", "Maple USD")
    count = events(copied(data, tmp_path / "counted" / "data"), *DELETE)
    for at in depth.sample(range(1, count + 1), f"delete {how}", daily=SAMPLES, nightly=NIGHTLY):
        place = copied(data, tmp_path / str(at) / "data")
        done = disturbed(place, how, at, *DELETE)
        if done.code:
            assert done.err.splitlines()[-1].startswith("ERROR "), f"{at}: {done.err}"
            assert "Traceback" not in done.err, at
            if "maple-usd" in rollbook(place, "district", "list").out:
                rollbook(place, *DELETE)
        assert "maple-usd" not in rollbook(place, "district", "list").out, at
        rollbook(place, "audit", "check")
        assert rollbook(place, "certificate", "list").out.count("maple-usd") == 1, at
