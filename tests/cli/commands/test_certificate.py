"""``rollbook certificate`` and ``rollbook student erase``."""

import io
import json
import sys
from pathlib import Path

import pytest
from django.utils import timezone

from rollbook.districts.models import District
from rollbook.operations.lifecycle import deletion
from rollbook.operations.models import Destruction
from rollbook.students.models import Student
from tests.cli.conftest import Rollbook
from tests.updates.night import a_class, enroll, send

ERASE = ("student", "erase", "maple-usd", "s001", "--yes")


@pytest.fixture
def enrolled(maple: District) -> District:
    enroll(maple, a_class(3))
    return maple


def test_erase_names_the_files_that_remain(
    rollbook: Rollbook, enrolled: District, tmp_path: Path
) -> None:
    key = Student.objects.get(student_id="s001").pk
    result = rollbook(*ERASE, "--certificates", tmp_path)
    number = Destruction.objects.get().pk
    lines = result.out.splitlines()
    assert lines[:2] == [
        f"Erased the student with key {key} of Maple USD.",
        "These still contain the student; --files would have removed the files:",
    ]
    assert lines[2].startswith("  the uploaded file of update 1, until ")
    assert lines[3] == f"Certificate {number}: {tmp_path}/certificate-{number}-student.json"
    assert rollbook("student", "show", "maple-usd", "s001").code == 1


def test_erase_with_files(rollbook: Rollbook, enrolled: District, tmp_path: Path) -> None:
    result = rollbook(*ERASE, "--files", "--certificates", tmp_path)
    assert "still contain" not in result.out
    assert Destruction.objects.get().counts["files"] == 1


def test_a_student_without_an_id_is_named_by_username(
    rollbook: Rollbook, enrolled: District, tmp_path: Path
) -> None:
    Student.objects.filter(student_id="s001").update(student_id=None)
    assert rollbook("student", "erase", "maple-usd", "u000", "--yes").code == 1
    arguments = ("U001", "--yes", "--certificates", tmp_path)
    assert rollbook("student", "erase", "maple-usd", *arguments).code == 0


def test_the_id_is_typed_again(
    rollbook: Rollbook, enrolled: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("s001\n"))
    result = rollbook(*ERASE[:4])
    assert (result.code, result.err.split(":")[0]) == (2, "ERROR no_terminal")
    assert Student.objects.count() == 3


@pytest.mark.parametrize("name", ["s999", "S001", "u001"])
def test_an_unknown_student(rollbook: Rollbook, enrolled: District, name: str) -> None:
    result = rollbook("student", "erase", "maple-usd", name, "--yes")
    assert result.err.startswith("ERROR no_such_student: Maple USD has no student")


def test_a_student_of_the_neighbor_is_unknown(
    rollbook: Rollbook, maple: District, cedar: District
) -> None:
    enroll(cedar, a_class(3))
    assert rollbook(*ERASE).err.startswith("ERROR no_such_student: ")
    assert Student.objects.count() == 3


def test_erase_waits_for_updates(rollbook: Rollbook, enrolled: District) -> None:
    send(enrolled, a_class(3, GRADE="9"))
    result = rollbook(*ERASE)
    assert result.err.startswith("ERROR update_unfinished: update 2 of the district could contain")


def test_list_show_and_verify(rollbook: Rollbook, enrolled: District, tmp_path: Path) -> None:
    assert rollbook("certificate", "list").out == "Nothing was destroyed yet.\n"
    rollbook(*ERASE, "--certificates", tmp_path)
    number = Destruction.objects.get().pk
    begun = deletion.start(enrolled, timezone.now(), None)
    listed = rollbook("certificate", "list").out.splitlines()
    assert listed[1].split() == [str(number), "maple-usd", "student", "<time>", "<time>"]
    assert listed[2].split() == [str(begun.pk), "maple-usd", "district", "<time>", "not", "yet"]
    as_json = json.loads(rollbook("certificate", "list", "--json").out)
    assert [(entry["what"], entry["finished_at"] is None) for entry in as_json] == [
        ("student", False),
        ("district", True),
    ]
    assert rollbook("certificate", "show", number).out.startswith("CERTIFICATE OF DESTRUCTION\n")
    path = tmp_path / "shown.json"
    path.write_text(rollbook("certificate", "show", number, "--json").out, encoding="utf-8")
    valid = rollbook("certificate", "verify", path, "--student-id", "s001")
    assert valid.code == 0
    assert valid.out.startswith(f"Certificate {number} is valid: one student, with the key ")
    assert valid.out.endswith("It is about this student.\n")
    other = rollbook("certificate", "verify", path, "--student-id", "s002")
    assert (other.code, other.out.splitlines()[-1]) == (1, "It is not about this student.")


def test_a_changed_certificate_is_not_valid(
    rollbook: Rollbook, enrolled: District, tmp_path: Path
) -> None:
    rollbook(*ERASE, "--certificates", tmp_path)
    (path,) = tmp_path.glob("*.json")
    path.write_text(path.read_text(encoding="utf-8").replace("Maple", "Cedar"), encoding="utf-8")
    result = rollbook("certificate", "verify", path)
    assert (result.code, result.out) == (
        1,
        "The certificate was changed after it was signed, or its signature is missing.\n",
    )


def test_errors(rollbook: Rollbook, enrolled: District, tmp_path: Path) -> None:
    begun = deletion.start(enrolled, timezone.now(), None)
    assert rollbook("certificate", "show", 99).err == (
        "ERROR no_such_certificate: there is no certificate 99; see `rollbook certificate list`\n"
    )
    unfinished = rollbook("certificate", "show", begun.pk)
    assert unfinished.err.startswith(f"ERROR not_finished: what certificate {begun.pk} is about")
    text = tmp_path / "certificate.txt"
    text.write_text("CERTIFICATE", encoding="utf-8")
    wrong = rollbook("certificate", "verify", text)
    assert wrong.err.startswith(f"ERROR not_a_certificate: {text} isn't a certificate")
    assert rollbook("certificate", "verify", tmp_path / "none").err.startswith("ERROR not_possible")
