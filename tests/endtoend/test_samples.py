"""A fictional district, and a file published by another vendor, end to end."""

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tests import depth
from tests.conftest import PASSWORD
from tests.data import rosters
from tests.data.rosters import VENDOR_SAMPLE, Roster
from tests.endtoend.conftest import LOGIN, Rollbook
from tests.installations import copied

STUDENTS = depth.choose(daily=2_000, nightly=5_000)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def comparable(row: dict[str, str], columns: Iterable[str]) -> dict[str, str]:
    """Return these columns but PASSWORD, which is not exported, with the groups in order."""
    kept = {column: row[column] for column in columns if column != "PASSWORD"}
    return kept | {"GROUPS": "&".join(sorted(row["GROUPS"].split("&")))}


@pytest.fixture(scope="module")
def roster(tmp_path_factory: pytest.TempPathFactory) -> Roster:
    """The files of made-up nights."""
    return rosters.write(tmp_path_factory.mktemp("roster"), STUDENTS)


@pytest.fixture(scope="module")
def loaded_once(tmp_path_factory: pytest.TempPathFactory, roster: Roster) -> Path:
    """The made-up district with its base loaded, from nothing, as the README says."""
    folder = tmp_path_factory.mktemp("loaded")
    rollbook = Rollbook(folder / "data")
    (folder / "password.txt").write_text(PASSWORD, encoding="utf-8")
    rollbook.run("district", "add", "Maple USD")
    (folder / "no-limits.json").write_text('{"limits": {}}', encoding="ascii")
    rollbook.run("limits", "set", "maple-usd", "--file", str(folder / "no-limits.json"))
    rollbook.run("school", "load", "maple-usd", str(roster["schools"]))
    who = ("--first", "Ana", "--last", "Ruiz", "--role", "district manager")
    rollbook.run(
        "staff", "add", "maple-usd", LOGIN, *who, "--password-file", str(folder / "password.txt")
    )
    rollbook.run("student", "load", "maple-usd", str(roster["base"]))
    return rollbook.data


@pytest.fixture
def loaded(loaded_once: Path, tmp_path: Path) -> Iterator[Rollbook]:
    """The same for each test, not serving yet."""
    rollbook = Rollbook(copied(loaded_once, tmp_path / "data"))
    yield rollbook
    rollbook.kill()


def test_after_the_nightly_file_the_export_says_what_it_says(
    loaded: Rollbook, roster: Roster, tmp_path: Path
) -> None:
    base = {row["STUDENT_ID"]: row for row in rows(roster["base"])}
    nightly = {row["STUDENT_ID"]: row for row in rows(roster["nightly"])}
    changed = [student for student, row in nightly.items() if row != base[student]]
    loaded.start()
    loaded.start_update(roster["nightly"])
    assert (
        f": {len(changed)} updated, {STUDENTS - len(changed):,} unchanged, 0 rejected"
        in loaded.until_ended()
    )
    again = loaded.start_update(roster["nightly"])
    assert "The file is identical to the file of update 2" in again.text
    assert f": 0 updated, {STUDENTS:,} unchanged, 0 rejected" in loaded.until_ended()
    loaded.run("student", "export", "maple-usd", "--output", str(tmp_path / "export.csv"))
    exported = {row["STUDENT_ID"]: row for row in rows(tmp_path / "export.csv")}
    assert exported.keys() == nightly.keys()
    for student, row in nightly.items():
        assert comparable(exported[student], row) == comparable(row, row)
    one = changed[0]
    history = loaded.run("student", "show", "maple-usd", one)
    for column, value in nightly[one].items():
        if value != base[one][column]:
            assert f"{column} " in history.partition("when ")[2]


def test_of_a_dirty_file_exactly_the_damaged_lines_are_rejected(
    loaded: Rollbook, roster: Roster
) -> None:
    loaded.start()
    loaded.start_update(roster["dirty"])
    expected = {damaged.line for damaged in roster.dirty_lines}
    assert f" {len(expected)} rejected; see " in loaded.until_ended()
    shown = loaded.show_update()
    assert {
        problem["line"] for problem in shown["problems"] if problem["severity"] == "error"
    } == expected
    assert shown["updated"] + shown["unchanged"] == STUDENTS - len(expected)


def test_another_vendors_file_is_loaded_without_renaming(serving: Rollbook, tmp_path: Path) -> None:
    sample = rows(VENDOR_SAMPLE)
    schools = tmp_path / "sample-schools.csv"
    schools.write_text(
        "SCHOOL_ID,NAME\n"
        + "".join(f"{s},School {s}\n" for s in {row["School SIS ID"] for row in sample})
    )
    serving.run("school", "load", serving.district.slug, str(schools))
    added = [row | {"GENDER": "x", "ELL": "n", "SPECIAL_ED": "n"} for row in sample]
    file = tmp_path / "complete.csv"
    with file.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, added[0])
        writer.writeheader()
        writer.writerows(added)
    serving.start_update(file, "mode=add")
    assert serving.until_ended().startswith(
        "COMPLETED update 1: 86 students: 0 updated, 86 added, 0 unchanged, 0 rej"
    )
    serving.start_update(VENDOR_SAMPLE)
    assert serving.until_ended().startswith(
        "COMPLETED update 2: 86 students: 0 updated, 86 unchanged, 0 rej"
    )
