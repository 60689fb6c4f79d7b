"""``rollbook student export``."""

import csv
import io
from pathlib import Path

import pytest

from rollbook.accounts.models import AuditEvent
from rollbook.districts.models import District
from rollbook.studentfile.columns import COLUMNS
from rollbook.students.models import Student
from tests.cli.conftest import Rollbook
from tests.cli.files import HEADER, row

pytestmark = pytest.mark.django_db(transaction=True)

EXPORTED = [column.name for column in COLUMNS if column.name != "PASSWORD"]


@pytest.fixture
def students(rollbook: Rollbook, maple: District, tmp_path: Path) -> None:
    path = tmp_path / "loaded.csv"
    rows = (
        row("00200", "Ben", "Cole", school="200") + ",-5 points,Choir&Art",
        row("00100", "Zoë", "Brook", born="2014-05-13") + ",,",
        row("", "No", "Number") + ",,",
    )
    path.write_text("\n".join((f"{HEADER},ADDITIONAL_INFO_1,GROUPS", *rows, "")), encoding="utf-8")
    assert rollbook("student", "load", "maple-usd", path).code == 0


def test_all_columns_but_the_password_are_exported_sorted_by_student_id(
    rollbook: Rollbook, students: None
) -> None:
    result = rollbook("student", "export", "maple-usd")
    assert (result.code, result.err) == (0, "")
    header, *rows = csv.reader(io.StringIO(result.out, newline=""), strict=True)
    assert header == EXPORTED
    values = [dict(zip(header, cells, strict=True)) for cells in rows]
    assert [
        (record["STUDENT_ID"], record["FIRST_NAME"], record["DOB"], record["GROUPS"])
        for record in values
    ] == [
        ("00100", "Zoë", "05/13/2014", "Default"),
        ("00200", "Ben", "05/13/2014", "Art&Choir"),
        ("", "No", "05/13/2014", "Default"),
    ]
    assert "canary" not in result.out


def test_no_exported_value_is_a_spreadsheet_formula(rollbook: Rollbook, students: None) -> None:
    assert '"\'-5 points"' in rollbook("student", "export", "maple-usd").out


def test_the_output_file_is_complete_and_readable_by_its_owner_only(
    rollbook: Rollbook, students: None, tmp_path: Path
) -> None:
    path = tmp_path / "out" / "students.csv"
    path.parent.mkdir()
    result = rollbook("student", "export", "maple-usd", "--output", path)
    assert (result.code, result.out, result.err) == (
        0,
        "",
        f"exported 3 students of Maple USD to {path}\n",
    )
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["students.csv"]
    assert path.read_bytes().decode() == rollbook("student", "export", "maple-usd").out.replace(
        "\n", "\r\n"
    ).replace("\r\r", "\r")


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_loading_an_export_changes_nothing(
    rollbook: Rollbook, students: None, tmp_path: Path, encoding: str
) -> None:
    rollbook("district", "set", "maple-usd", "--encoding", encoding)
    before = list(Student.objects.order_by("pk").values())
    rollbook("student", "export", "maple-usd", "--output", tmp_path / "all.csv")
    result = rollbook("student", "load", "maple-usd", tmp_path / "all.csv")
    assert result.out.startswith(
        "COMPLETED update 2: 3 students: 0 updated, 3 unchanged, 0 rejected"
    )
    assert list(Student.objects.order_by("pk").values()) == before


def test_a_missing_folder_is_an_error_that_leaves_no_file(
    rollbook: Rollbook, students: None, tmp_path: Path
) -> None:
    result = rollbook(
        "student", "export", "maple-usd", "--output", tmp_path / "none" / "students.csv"
    )
    assert result.code == 1
    assert result.err.startswith(
        f"ERROR not_possible: {tmp_path}/none/students.csv: No such file or directory; "
    )


def test_a_folder_in_place_of_the_file_is_an_error_that_names_it(
    rollbook: Rollbook, students: None, tmp_path: Path
) -> None:
    folder = tmp_path / "exports"
    (folder / "students.csv").mkdir(parents=True)
    result = rollbook("student", "export", "maple-usd", "--output", folder / "students.csv")
    assert result.err.startswith(f"ERROR not_possible: {folder}/students.csv: Is a directory; ")
    assert list(folder.iterdir()) == [folder / "students.csv"]


def test_the_export_of_the_neighbor_has_none_of_the_students(
    rollbook: Rollbook, students: None, cedar: District
) -> None:
    result = rollbook("student", "export", "cedar-county")
    assert list(csv.reader(io.StringIO(result.out, newline=""))) == [EXPORTED]


def test_an_export_is_recorded_in_the_audit_log(rollbook: Rollbook, students: None) -> None:
    rollbook("student", "export", "maple-usd")
    event = AuditEvent.objects.get(action="student export")
    assert (event.district and event.district.slug, event.detail) == ("maple-usd", "3 students")


def test_the_file_of_a_district_with_the_day_first_has_dates_with_one_meaning(
    rollbook: Rollbook, maple: District, students: None, tmp_path: Path
) -> None:
    rollbook("district", "set", "maple-usd", "--date-order", "dmy")
    path = tmp_path / "exported.csv"
    assert rollbook("student", "export", "maple-usd", "--output", path).code == 0
    assert '"2014-05-13"' in path.read_text(encoding="utf-8")
    assert "3 unchanged" in rollbook("student", "load", "maple-usd", path).out
