"""Made-up students for the benchmark."""

import csv
from itertools import pairwise
from pathlib import Path

import pytest

from bench import students
from rollbook.studentfile.reading import reader

ROWS = 2_000


@pytest.fixture(scope="module", params=["id", "school"])
def files(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> students.Files:
    return students.write(tmp_path_factory.mktemp("files"), ROWS, order=request.param)


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    "keys", [("STUDENT_ID",), ("USERNAME",), ("FIRST_NAME", "LAST_NAME", "DOB")]
)
@pytest.mark.parametrize("name", ["base", "nightly", "rollover"])
def test_no_two_students_have_the_same_keys(
    files: students.Files, name: str, keys: tuple[str, ...]
) -> None:
    assert len({tuple(row[key] for key in keys) for row in read(files[name])}) == ROWS


def test_a_night_changes_one_cell_of_one_row_in_a_hundred(files: students.Files) -> None:
    pairs = zip(read(files["base"]), read(files["nightly"]), strict=True)
    changed = [
        [column for column in students.COLUMNS if old[column] != new[column]] for old, new in pairs
    ]
    changed = [columns for columns in changed if columns]
    assert len(changed) == ROWS // 100 == files.differing("base", "nightly")
    assert all(len(columns) == 1 for columns in changed)
    assert {columns[0] for columns in changed} <= set(students.CHANGING)


def test_a_rollover_changes_the_grade_of_every_student(files: students.Files) -> None:
    for old, new in zip(read(files["base"]), read(files["rollover"]), strict=True):
        assert [column for column in students.COLUMNS if old[column] != new[column]] == ["GRADE"]
    assert files.differing("rollover", "base") == ROWS


def test_ids_ascend_or_schools_do(tmp_path: Path) -> None:
    by_id = [row["STUDENT_ID"] for row in read(students.write(tmp_path, ROWS, order="id")["base"])]
    by_school = read(students.write(tmp_path, ROWS, order="school")["base"])
    ids, schools = [row["STUDENT_ID"] for row in by_school], [row["SCHOOL_ID"] for row in by_school]
    assert by_id == sorted(by_id)
    assert schools == sorted(schools)
    places = {key: place for place, key in enumerate(sorted(ids))}
    assert min(abs(places[one] - places[other]) for one, other in pairwise(ids)) > ROWS // 10


def test_every_school_a_student_is_at_is_in_the_file_of_schools(files: students.Files) -> None:
    known = {row["SCHOOL_ID"] for row in read(files["schools"])}
    assert {row["SCHOOL_ID"] for name in ("base", "nightly") for row in read(files[name])} <= known


def test_the_same_numbers_give_the_same_files_and_another_seed_others(tmp_path: Path) -> None:
    first = students.write(tmp_path / "one", 50)
    again, other = (
        students.write(tmp_path / "two", 50),
        students.write(tmp_path / "two", 50, seed=2),
    )
    assert first["nightly"].read_bytes() == again["nightly"].read_bytes()
    assert first["base"].read_bytes() != other["base"].read_bytes()


def test_files_that_were_written_are_taken_as_they_are(tmp_path: Path) -> None:
    students.write(tmp_path, 50)["base"].write_text("changed", encoding="utf-8")
    assert students.write(tmp_path, 50)["base"].read_text(encoding="utf-8") == "changed"


def test_rollbook_finds_nothing_wrong_with_them(files: students.Files) -> None:
    assert reader.scan(files["base"]).problems == ()
