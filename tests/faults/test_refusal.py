"""A kill while a file is refused after its check changes nothing in the end."""

from pathlib import Path

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

SAMPLES, EVERY_NIGHT = 4, 60  # statements to die at, on each database
LINE = STUDENTS // 2


def joined_files() -> str:
    """Write a file with changes, rejected rows, and another header in the middle."""
    lines = [row(number, grade="6") for number in range(1, STUDENTS + 1)]
    lines[::7] = [line.replace(",6,", ",17,") for line in lines[::7]]
    lines.insert(LINE - 2, HEADER.replace("ELL,SPECIAL_ED", "SPECIAL_ED,ELL"))
    return HEADER + "".join(lines)


@pytest.fixture(scope="module")
def received(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """A folder with a file that is to be refused."""
    place = tmp_path_factory.mktemp("refusal")
    folder = enrolled_once().copy(place / "data")
    (place / "joined.csv").write_text(joined_files(), encoding="utf-8")
    folder.run("submit", str(place / "joined.csv"), "update")
    return folder


def test_a_worker_that_dies_at_any_statement_refuses_the_file_once(
    received: Folder, tmp_path: Path
) -> None:
    undisturbed = received.copy(tmp_path / "undisturbed").finish()
    _, refused = undisturbed["updates"]
    assert (refused["state"], refused["rows"]) == ("refused", 0)
    assert refused["problem_counts"] == {"second_header": 1}
    assert [each for each in undisturbed["problems"] if each[0] == refused["number"]] == [
        [refused["number"], LINE, "second_header"]
    ]
    assert {number for number, _, _ in undisturbed["outcomes"]} == {1}
    deaths = after_deaths_of_a_worker(
        received,
        tmp_path,
        "statements while a file is refused",
        daily=SAMPLES,
        nightly=EVERY_NIGHT,
    )
    assert_deaths_change_nothing(deaths, undisturbed)
