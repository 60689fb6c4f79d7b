"""A kill while a plan is judged, split, approved or applied changes nothing in the end."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests import depth
from tests.faults.folder import (
    HEADER,
    STUDENTS,
    Folder,
    after_deaths_of_a_worker,
    assert_deaths_change_nothing,
    enrolled_once,
    row,
)

SAMPLES, EVERY_NIGHT = 3, 40  # statements to die at, on each database
RACES, NIGHTLY_RACES = 1, 10


def leavers() -> str:
    """Write a file that deactivates students of one school, and adds some to the other."""
    header = HEADER.replace("GROUPS", "GROUPS,STATUS")
    lines = []
    for number in range(1, STUDENTS + 11):
        changes = {"school_id": "200"} if number > STUDENTS else {}
        status = "inactive" if number <= STUDENTS // 4 else ""
        lines.append(row(number, **changes).rstrip() + f",{status}\n")
    lines[20] = lines[20].replace(",5,", ",17,")
    return header + "".join(lines)


@pytest.fixture(scope="module")
def received(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """A folder with a file of which one school is to be held."""
    place = tmp_path_factory.mktemp("plans")
    folder = enrolled_once().copy(place / "data")
    folder.run("hold_schools")
    (place / "leavers.csv").write_text(leavers(), encoding="utf-8")
    folder.run("submit", str(place / "leavers.csv"), "add")
    return folder


@pytest.fixture(scope="module")
def split(received: Folder, tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """The same folder when the update was split, and nothing happened."""
    folder = received.copy(tmp_path_factory.mktemp("split") / "data")
    folder.run("work")
    return folder


@pytest.fixture(scope="module")
def undisturbed(split: Folder, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What is left when the held school is approved and nothing happens."""
    folder = split.copy(tmp_path_factory.mktemp("undisturbed") / "data")
    folder.run("approve_until", "1000000")
    return folder.finish()


def test_the_school_is_held_and_the_rest_applied(split: Folder) -> None:
    _, first, held = split.dump()["updates"]
    assert (first["state"], held["state"]) == ("completed", "held")
    assert (first["rows_added"], first["rows_rejected"]) == (10, 0)
    assert held["split_from__number"] == first["number"]
    assert first["rows"] + held["rows"] == STUDENTS + 10


def test_a_worker_that_dies_at_any_statement_splits_the_update_once(
    received: Folder, split: Folder, tmp_path: Path
) -> None:
    expected = split.dump()
    deaths = after_deaths_of_a_worker(
        received,
        tmp_path,
        "statements while a plan is made",
        daily=SAMPLES,
        nightly=EVERY_NIGHT,
    )
    assert_deaths_change_nothing(deaths, expected)


def test_a_death_while_a_plan_is_approved_leaves_it_undecided(
    split: Folder, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    counted = split.copy(tmp_path / "counted")
    statements = int(counted.run("approve_until", "1000000"))
    before = split.dump()
    chosen = depth.sample(
        range(1, statements + 1), "statements of an approval", daily=SAMPLES, nightly=EVERY_NIGHT
    )
    for statement in chosen:
        folder = split.copy(tmp_path / str(statement))
        folder.run("approve_until", str(statement), code=137)
        assert folder.dump() == before, f"after a death at statement {statement}"
        folder.run("approve_until", "1000000")
        assert folder.finish() == undisturbed


def test_a_worker_that_dies_while_an_approved_plan_is_applied_changes_nothing_in_the_end(
    split: Folder, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    approved = split.copy(tmp_path / "approved")
    approved.run("approve_until", "1000000")
    deaths = after_deaths_of_a_worker(
        approved,
        tmp_path,
        "statements while a plan is applied",
        daily=SAMPLES,
        nightly=EVERY_NIGHT,
        skips_check=False,
    )
    assert_deaths_change_nothing(deaths, undisturbed)


def test_of_decisions_at_the_same_moment_exactly_one_is_made(split: Folder, tmp_path: Path) -> None:
    races = depth.sample(
        range(NIGHTLY_RACES), "races of decisions", daily=RACES, nightly=NIGHTLY_RACES
    )
    for race in races:
        folder = split.copy(tmp_path / str(race))
        with ThreadPoolExecutor(4) as pool:
            choices = ("approve", "approve", "discard", "expire")
            runs = [pool.submit(folder.run, "decide", how) for how in choices]
            outputs = [each.result() for each in runs]
        assert outputs.count("") <= 2  # the one that was made, and an expiry that found nothing
        left = folder.finish()
        held = left["updates"][-1]
        assert held["state"] in {"completed", "discarded"}
        events = [state for number, state in left["events"] if number == held["number"]]
        assert sorted(events) == sorted(["held", held["state"]])
