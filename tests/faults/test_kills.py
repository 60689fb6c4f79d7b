"""F01, F02: a worker killed anywhere leaves what a worker never killed would have left."""

from pathlib import Path
from typing import Any

import pytest

from tests import depth
from tests.faults.folder import Folder, enrolled_once, eventful_night

SAMPLES, EVERY_NIGHT = 4, 40  # statements to die at, on each database
KILLS = 20


@pytest.fixture(scope="module")
def received(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """A folder in which a night's file has been received and nothing else."""
    place = tmp_path_factory.mktemp("kills")
    folder = enrolled_once().copy(place / "data")
    (place / "night.csv").write_text(eventful_night(), encoding="utf-8")
    folder.run("submit", str(place / "night.csv"), "add")
    return folder


@pytest.fixture(scope="module")
def undisturbed(received: Folder, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the night leaves behind when nothing happens."""
    folder = received.copy(tmp_path_factory.mktemp("undisturbed") / "data")
    return folder.finish()


def test_the_night_is_as_eventful_as_it_should_be(undisturbed: dict[str, Any]) -> None:
    night = undisturbed["updates"][1]
    assert night["state"] == "completed"
    assert undisturbed["due"] == []
    counts = ("rows_updated", "rows_added", "rows_unchanged", "rows_rejected")
    assert tuple(night[name] for name in counts) == (
        41,
        11,
        12,
        12,
    )


def test_a_worker_that_dies_at_any_statement_changes_nothing_in_the_end(
    received: Folder, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    counted = received.copy(tmp_path / "counted")
    statements = int(counted.run("work_until", "1000000"))
    chosen = depth.sample(
        range(1, statements), "statements of a worker", daily=SAMPLES, nightly=EVERY_NIGHT
    )
    for statement in chosen:
        folder = received.copy(tmp_path / str(statement))
        folder.run("work_until", str(statement), code=137)
        assert folder.finish() == undisturbed, f"after a death at statement {statement}"


def test_a_worker_killed_again_and_again_gets_there_all_the_same(
    received: Folder, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    folder = received.copy(tmp_path / "data")
    moments = depth.generator("moments of kills")
    for _ in range(KILLS):
        folder.run_and_kill(moments.uniform(0.1, 0.6), "work")
    assert folder.finish() == undisturbed
