"""``rollbook student show``."""

import json
from pathlib import Path

import pytest

from rollbook.accounts.models import Member
from rollbook.districts.models import District
from rollbook.students.models import Change
from tests.cli.conftest import Rollbook
from tests.cli.files import HEADER, row

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def history(rollbook: Rollbook, maple: District, manager: Member, base: Path) -> None:
    """Add Ana by the operator, then change her school by a member's update."""
    assert rollbook("student", "load", "maple-usd", base).code == 0
    base.write_text(
        f"{HEADER}\n{row('00123', 'Ana', 'Brook', school='200').replace('canary', 'second')}\n"
    )
    assert rollbook("student", "load", "maple-usd", base).code == 0
    Change.objects.filter(update__number=2).update(member=manager)


def test_record_and_history_are_printed_without_passwords(
    rollbook: Rollbook, history: None
) -> None:
    result = rollbook("student", "show", "maple-usd", "00123")
    assert (result.code, result.err) == (0, "")
    assert result.out == (
        "Ana Brook, Maple USD\n"
        "\n"
        "  STUDENT_ID  00123\n"
        "  USERNAME    abrook\n"
        "  FIRST_NAME  Ana\n"
        "  LAST_NAME   Brook\n"
        "  DOB         05/13/2014\n"
        "  GENDER      f\n"
        "  GRADE       4\n"
        "  SCHOOL_ID   200\n"
        "  ELL         n\n"
        "  SPECIAL_ED  n\n"
        "  GROUPS      Default\n"
        "  STATUS      active\n"
        "\n"
        "when                     field      old  new      by\n"
        "<time>  STUDENT         added    update 1\n"
        "<time>  PASSWORD        changed  update 2, ops@maple.example\n"
        "<time>  SCHOOL_ID  100  200      update 2, ops@maple.example\n"
    )


def test_the_result_can_be_printed_as_json(rollbook: Rollbook, history: None) -> None:
    report = json.loads(rollbook("student", "show", "maple-usd", "00123", "--json").out)
    assert report["record"]["DOB"] == "05/13/2014"
    assert "PASSWORD" not in report["record"]
    assert [
        (change["field"], change["old"], change["new"], change["update"], change["member"])
        for change in report["history"]
    ][:3] == [
        ("STUDENT", "", "added", 1, None),
        ("PASSWORD", "", "changed", 2, "ops@maple.example"),
        ("SCHOOL_ID", "100", "200", 2, "ops@maple.example"),
    ]


@pytest.mark.parametrize("other", ["123", "00123 ", "O0123", "%"])
def test_an_id_must_match_exactly(rollbook: Rollbook, history: None, other: str) -> None:
    result = rollbook("student", "show", "maple-usd", other)
    assert (result.code, result.out) == (1, "")
    assert result.err == (
        f"ERROR no_such_student: Maple USD has no student with the STUDENT_ID '{other}'; "
        "it must match exactly, including zeros and capital letters\n"
    )


def test_the_neighbor_does_not_have_the_student(
    rollbook: Rollbook, history: None, cedar: District
) -> None:
    assert rollbook("student", "show", "cedar-county", "00123").code == 1


def test_problems_of_the_last_updates_name_their_columns(
    rollbook: Rollbook, history: None, base: Path
) -> None:
    base.write_text("STUDENT_ID,GRADE,GENDER\n00123,99,f\n")
    rollbook("student", "load", "maple-usd", base)
    shown = rollbook("student", "show", "maple-usd", "00123").out
    assert "\nproblems in the last 10 updates:\n  update 3, line 2, GRADE: bad_value: " in shown
    report = json.loads(rollbook("student", "show", "maple-usd", "00123", "--json").out)
    [problem] = report["problems"]
    assert (problem["update"], problem["line"], problem["column"]) == (3, 2, "GRADE")
