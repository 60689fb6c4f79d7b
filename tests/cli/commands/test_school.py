"""``rollbook school list`` and ``school load``."""

import json
from pathlib import Path

import pytest

from rollbook.districts.models import District, School
from rollbook.students.models import Group
from tests.cli.conftest import Rollbook

pytestmark = pytest.mark.django_db


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "schools.csv"


def test_schools_are_added_and_renamed_and_have_a_default_group(
    rollbook: Rollbook, maple: District, file: Path
) -> None:
    file.write_text(
        'SCHOOL_ID,NAME\n100,Maple Elementary\n200,School 200\n\n300," Hill, Middle "\n'
    )
    result = rollbook("school", "load", "maple-usd", file)
    assert (result.code, result.err) == (0, "")
    assert result.out == "Maple USD: 1 added, 1 renamed, 1 unchanged; 3 schools in total.\n"
    assert list(
        School.objects.order_by("organization_id").values_list("organization_id", "name")
    ) == [
        ("100", "Maple Elementary"),
        ("200", "School 200"),
        ("300", "Hill, Middle"),
    ]
    groups = Group.objects.order_by("school__organization_id")
    assert list(groups.values_list("school__organization_id", "name", "name_key")) == [
        ("100", "Default", "default"),
        ("200", "Default", "default"),
        ("300", "Default", "default"),
    ]


def test_loading_again_changes_nothing(rollbook: Rollbook, maple: District, file: Path) -> None:
    file.write_text("\ufeffname,School ID\r\nSchool 100,100\r\n", encoding="utf-8")
    rollbook("school", "load", "maple-usd", file)
    result = rollbook("school", "load", "maple-usd", file)
    assert result.out == "Maple USD: 0 added, 0 renamed, 1 unchanged; 2 schools in total.\n"
    assert Group.objects.count() == 2


def test_every_problem_is_reported_and_nothing_is_loaded(
    rollbook: Rollbook, maple: District, file: Path
) -> None:
    file.write_text(
        "SCHOOL_ID,NAME\n300,New School\n1.5E+5,Rounded\n400,\n"
        ',Nameless\n"500\n",Broken\n300,Again\n600\n'
    )
    result = rollbook("school", "load", "maple-usd", file)
    assert (result.code, result.err) == (1, "")
    assert result.out == (
        f"{file}, line 3: SCHOOL_ID '1.5E+5': A spreadsheet rounded a number; "
        "format the column as text and export again\n"
        f"{file}, line 4: NAME is missing; enter the school's name\n"
        f"{file}, line 5: SCHOOL_ID is missing; enter the school's ID\n"
        f"{file}, line 8: SCHOOL_ID 300 is already in line 2; keep one of them\n"
        f"{file}, line 9: there must be 2 cells, not 1; "
        "put values that contain a comma in quotation marks\n"
        "\nNothing was loaded: 5 problems.\n"
    )
    assert School.objects.count() == 2


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", "wrong_header: {file}, line 1 must be SCHOOL_ID,NAME but is empty; correct it"),
        (
            b"SCHOOL_ID;NAME\n1;A\n",
            "wrong_header: {file}, line 1 must be SCHOOL_ID,NAME but is SCHOOL_ID;NAME; correct it",
        ),
        (
            b"SCHOOL_ID,NAME\n",
            "no_schools: {file} has no schools below its header; add a line for each school",
        ),
        (
            b"SCHOOL_ID,NAME\n1,\xc9cole\n",
            "not_utf8: {file}, line 2 is not UTF-8; save the file as CSV UTF-8",
        ),
        (
            b'SCHOOL_ID,NAME\n1,"A\n',
            "not_csv: {file}, line 2 is not CSV (unexpected end of data); "
            "check its quotation marks",
        ),
    ],
)
def test_a_file_that_cannot_be_read_is_an_error(
    rollbook: Rollbook, maple: District, file: Path, content: bytes, error: str
) -> None:
    file.write_bytes(content)
    result = rollbook("school", "load", "maple-usd", file)
    assert (result.code, result.out, result.err) == (1, "", f"ERROR {error.format(file=file)}\n")


def test_a_school_of_the_neighbor_with_the_same_id_is_not_changed(
    rollbook: Rollbook, maple: District, cedar: District, file: Path
) -> None:
    file.write_text("SCHOOL_ID,NAME\n100,Renamed\n900,Of Maple\n")
    assert rollbook("school", "load", "maple-usd", file).out.startswith(
        "Maple USD: 1 added, 1 renamed"
    )
    assert set(School.objects.filter(district=cedar).values_list("name", flat=True)) == {
        "School 100",
        "School 900",
    }


def test_an_unknown_district_is_an_error_that_suggests_the_closest_one(
    rollbook: Rollbook, maple: District, file: Path
) -> None:
    result = rollbook("school", "load", "maple", file)
    assert result.code == 1
    assert result.err.startswith("ERROR no_such_district: there is no district 'maple' in /")
    assert result.err.endswith("; did you mean maple-usd?\n")


@pytest.mark.django_db(transaction=True)  # the workers of PostgreSQL see what is committed
def test_schools_are_listed_with_the_numbers_of_their_students(
    rollbook: Rollbook, maple: District, file: Path, base: Path
) -> None:
    file.write_text("SCHOOL_ID,NAME\n100,Maple Elementary\n200,Adams High\n")
    rollbook("school", "load", "maple-usd", file)
    rollbook("student", "load", "maple-usd", base)
    result = rollbook("school", "list", "maple-usd")
    assert (result.code, result.err) == (0, "")
    assert result.out == (
        "SCHOOL_ID  name              active  inactive\n"
        "      200  Adams High             0         0\n"
        "      100  Maple Elementary       2         0\n"
    )
    assert json.loads(rollbook("school", "list", "maple-usd", "--json").out)[1] == {
        "school_id": "100",
        "name": "Maple Elementary",
        "students_active": 2,
        "students_inactive": 0,
    }


def test_a_district_without_schools_says_how_to_add_them(
    rollbook: Rollbook, maple: District
) -> None:
    School.objects.filter(district=maple).delete()
    assert rollbook("school", "list", "maple-usd").out == (
        "Maple USD has no schools yet; add them with `rollbook school load maple-usd FILE`.\n"
    )
    assert rollbook("school", "list", "maple-usd", "--json").out == "[]\n"


def test_schools_of_the_neighbor_are_not_listed(
    rollbook: Rollbook, maple: District, cedar: District
) -> None:
    School.objects.create(district=cedar, organization_id="777", name="Cedar High")
    assert "777" in rollbook("school", "list", "cedar-county").out
    assert "777" not in rollbook("school", "list", "maple-usd").out
