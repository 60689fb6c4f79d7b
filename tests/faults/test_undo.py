"""A kill while an undo is started, planned or applied changes nothing in the end."""

from pathlib import Path
from typing import Any

import pytest

from tests import depth
from tests.faults.folder import (
    Folder,
    after_deaths_of_a_worker,
    assert_deaths_change_nothing,
    enrolled_once,
    eventful_night,
)

SAMPLES, EVERY_NIGHT = 3, 40  # statements to die at, on each database
UNDONE = "2"


@pytest.fixture(scope="module")
def before() -> list[dict[str, str]]:
    """Return the students before the update that is undone."""
    students: list[dict[str, str]] = enrolled_once().dump()["students"]
    return students


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """A folder with an update that has changed and added students in every way."""
    place = tmp_path_factory.mktemp("undo")
    folder = enrolled_once().copy(place / "data")
    (place / "night.csv").write_text(eventful_night(), encoding="utf-8")
    folder.run("submit", str(place / "night.csv"), "add")
    folder.run("work")
    return folder


@pytest.fixture(scope="module")
def started(night: Folder, tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """The same folder when the update is to be undone."""
    folder = night.copy(tmp_path_factory.mktemp("started") / "data")
    folder.run("undo_until", "1000000", UNDONE)
    return folder


@pytest.fixture(scope="module")
def planned(started: Folder, tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """The same folder with the plan."""
    folder = started.copy(tmp_path_factory.mktemp("planned") / "data")
    folder.run("work")
    return folder


@pytest.fixture(scope="module")
def approved(planned: Folder, tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """The same folder when the plan is approved."""
    folder = planned.copy(tmp_path_factory.mktemp("approved") / "data")
    folder.run("apply_checked")
    return folder


@pytest.fixture(scope="module")
def undisturbed(approved: Folder, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What is left when nothing happens."""
    return approved.copy(tmp_path_factory.mktemp("undisturbed") / "data").finish()


def test_the_students_are_as_before(
    undisturbed: dict[str, Any], before: list[dict[str, str]]
) -> None:
    undo = undisturbed["updates"][-1]
    assert undo["state"] == "completed"
    assert undo["rows_updated"] > 30
    assert set(undo["problem_counts"]) == {"undo_password"}
    active = [each for each in undisturbed["students"] if each["STATUS"] == "active"]
    assert active == before


def test_a_death_while_an_undo_is_started_leaves_no_half(
    night: Folder, started: Folder, tmp_path: Path
) -> None:
    counted = night.copy(tmp_path / "counted")
    statements = int(counted.run("undo_until", "1000000", UNDONE))
    nothing, everything = night.dump(), started.dump()
    chosen = depth.sample(
        range(1, statements + 1), "statements of an undo", daily=SAMPLES, nightly=EVERY_NIGHT
    )
    for statement in chosen:
        folder = night.copy(tmp_path / str(statement))
        folder.run("undo_until", str(statement), UNDONE, code=137)
        left = folder.dump()
        assert left in (nothing, everything), f"after a death at statement {statement}"
        if left == nothing:
            folder.run("undo_until", "1000000", UNDONE)
        assert folder.dump() == everything


def test_a_worker_that_dies_at_any_statement_makes_the_same_plan(
    started: Folder, planned: Folder, tmp_path: Path
) -> None:
    expected = planned.dump()
    deaths = after_deaths_of_a_worker(
        started,
        tmp_path,
        "statements while an undo is planned",
        daily=SAMPLES,
        nightly=EVERY_NIGHT,
        skips_check=False,
    )
    assert_deaths_change_nothing(deaths, expected)


def test_a_worker_that_dies_at_any_statement_sets_back_everything_once(
    approved: Folder, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    deaths = after_deaths_of_a_worker(
        approved,
        tmp_path,
        "statements while an undo is applied",
        daily=SAMPLES,
        nightly=EVERY_NIGHT,
        skips_check=False,
    )
    assert_deaths_change_nothing(deaths, undisturbed)
