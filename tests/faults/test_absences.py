"""A kill while missing students are found, deactivated or counted changes nothing in the end."""

from pathlib import Path
from typing import Any

import pytest

from tests.faults.folder import (
    HEADER,
    STUDENTS,
    Folder,
    after_deaths_of_a_worker,
    assert_deaths_change_nothing,
    enrolled_once,
    row,
)

SAMPLES, EVERY_NIGHT = 3, 60  # statements to die at, on each database
LEAVERS = range(1, 13)


def night(*others: int) -> str:
    """Write a file without the leavers and these students, in which others change."""
    without = {*LEAVERS, *others}
    rows = (
        row(number, grade="6" if number % 10 == len(others) else "5")
        for number in range(1, STUDENTS + 1)
        if number not in without
    )
    return HEADER + "".join(rows)


@pytest.fixture(scope="module")
def received(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """A folder with a file of the third night without the same students, which isn't processed."""
    place = tmp_path_factory.mktemp("absences")
    folder = enrolled_once().copy(place / "data")
    folder.run("allow_sync")
    for days, others in ((2, ()), (1, (20,)), (0, (21, 22))):
        file = place / f"{days}.csv"
        file.write_text(night(*others), encoding="utf-8")
        folder.run("submit", str(file), "sync")
        folder.run("backdate", str(days))
        if days:
            folder.run("work")
    return folder


@pytest.fixture(scope="module")
def undisturbed(received: Folder, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What is left when nothing happens."""
    return received.copy(tmp_path_factory.mktemp("undisturbed") / "data").finish()


def test_who_was_missing_three_times_is_deactivated(undisturbed: dict[str, Any]) -> None:
    *_, last = undisturbed["updates"]
    assert (last["state"], last["rows_deactivated"]) == ("completed", len(LEAVERS))
    gone = [student["STUDENT_ID"] for student in undisturbed["students"] if is_inactive(student)]
    assert gone == [f"{number:05d}" for number in LEAVERS]
    counted = {key: (files, is_active) for key, _, files, _, is_active in undisturbed["absences"]}
    gone_counts = {f"user{number}": (3, False) for number in LEAVERS}
    assert counted == gone_counts | {"user21": (1, True), "user22": (1, True)}


def is_inactive(student: dict[str, str]) -> bool:
    return student["STATUS"] == "inactive"


def test_a_worker_that_dies_at_any_statement_counts_and_deactivates_once(
    received: Folder, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    deaths = after_deaths_of_a_worker(
        received,
        tmp_path,
        "statements of full sync",
        daily=SAMPLES,
        nightly=EVERY_NIGHT,
    )
    assert_deaths_change_nothing(deaths, undisturbed)
