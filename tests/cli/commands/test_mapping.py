"""``rollbook mapping``, ``file check --map`` and ``--header-map``."""

import json
from pathlib import Path

import pytest

from rollbook.accounts.models import AccountMail, AuditEvent, Member
from rollbook.cli.errors import FAILED, SOME_REJECTED
from rollbook.districts.models import District
from rollbook.studentfile.mapping.mapping import MappingDocument
from rollbook.students.models import Student
from rollbook.updates.models import ColumnMapping
from tests.cli.conftest import Rollbook
from tests.data.sis_files import FOLDER, SCHOOLS, roster
from tests.updates.night import a_class, enroll, lift_limits

DOCUMENT = {
    "name": "ours",
    "columns": [
        {"to": "STUDENT_ID", "from": ["Nr"], "steps": [{"step": "strip", "prefix": "#"}]},
        {"to": "GRADE", "from": ["Level"]},
    ],
    "keep": [{"column": "Type", "is": ["student"]}],
}
FILE = "Nr,Level,Type\n#s000,7,student\n#s001,99,student\nt,9,staff\n"


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "ours.json"
    path.write_text(json.dumps(DOCUMENT), encoding="utf-8")
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "export.csv"
    path.write_text(FILE, encoding="utf-8")
    return path


def test_a_mapping_is_saved_listed_shown_and_removed(
    rollbook: Rollbook, maple: District, manager: Member, document: Path, tmp_path: Path
) -> None:
    assert rollbook("mapping", "list", "maple-usd").out == "Maple USD has no column mappings.\n"
    saved = rollbook("mapping", "save", "maple-usd", document)
    assert (saved.code, saved.err) == (0, "")
    assert saved.out == "Saved ours, version 1, for Maple USD.\n"
    assert AccountMail.objects.get().member == manager
    assert "ours" in rollbook("mapping", "list", "maple-usd").out
    (listed,) = json.loads(rollbook("mapping", "list", "maple-usd", "--json").out)
    assert (listed["name"], listed["version"]) == ("ours", 1)
    shown = rollbook("mapping", "show", "maple-usd", "ours")
    assert "without prefix #" in shown.out
    assert "only rows in which Type is student" in shown.out
    again = tmp_path / "again.json"
    again.write_text(rollbook("mapping", "show", "maple-usd", "ours", "--json").out)
    assert "nothing was changed" in rollbook("mapping", "save", "maple-usd", again).out
    removed = rollbook("mapping", "remove", "maple-usd", "ours")
    assert removed.out == "Removed ours; it applies to no file of Maple USD anymore.\n"
    events = AuditEvent.objects.filter(action__startswith="mapping ").order_by("pk")
    assert [(event.action, event.detail) for event in events] == [
        ("mapping save", "ours, version 1"),
        ("mapping remove", "ours"),
    ]


def test_a_mistyped_mapping_is_suggested(
    rollbook: Rollbook, maple: District, document: Path, file: Path
) -> None:
    rollbook("mapping", "save", "maple-usd", document)
    text = "ERROR no_such_mapping: Maple USD has no column mapping 'our'; did you mean ours?\n"
    assert rollbook("mapping", "show", "maple-usd", "our").err == text
    assert rollbook("student", "load", "maple-usd", file, "--header-map", "our").err == text


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("show", "maple-usd", "x"), "ERROR no_such_mapping: Maple USD has no column mapping 'x'"),
        (("remove", "maple-usd", "x"), "ERROR no_such_mapping: "),
        (("show", "maple-usd", "x", "--version", "3"), "'x' with a version 3"),
    ],
)
def test_an_unknown_mapping_is_an_error(
    rollbook: Rollbook, maple: District, arguments: tuple[str, ...], error: str
) -> None:
    result = rollbook("mapping", *arguments)
    assert result.code != 0
    assert error in result.err


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"{", "ERROR bad_mapping: {path}: the document: it isn't valid JSON"),
        (b"\xff", "ERROR bad_mapping: {path}: the document isn't in UTF-8"),
        (
            b'{"name": "x", "columns": [{"to": "DOB"}]}',
            "ERROR bad_mapping: {path}: columns[0] (DOB): it comes from no file column",
        ),
    ],
)
def test_a_wrong_document_is_an_error(
    rollbook: Rollbook, maple: District, document: Path, content: bytes, error: str
) -> None:
    document.write_bytes(content)
    for command in (("mapping", "save", "maple-usd"), ("file", "check", document, "--map")):
        result = rollbook(*command, document)
        assert result.code == 2
        assert result.err.startswith(error.format(path=document))
        assert len(result.err.splitlines()) == 1
    assert not ColumnMapping.objects.exists()


def test_a_file_is_checked_through_a_mapping(
    rollbook: Rollbook, document: Path, file: Path
) -> None:
    result = rollbook("file", "check", file, "--map", document, "--json")
    assert json.loads(result.out)["rows"] == 2
    text = rollbook("file", "check", file, "--map", document)
    assert text.code == result.code == SOME_REJECTED
    assert text.out.startswith(f"WITH ERRORS {file}: 2 rows, 1 would be rejected")
    assert "1 of 3 rows were skipped" in text.out
    assert "(GRADE is Level)" in text.out
    assert rollbook("file", "check", file).code == FAILED


@pytest.mark.django_db(transaction=True)
def test_a_file_is_loaded_through_a_named_mapping(
    rollbook: Rollbook, maple: District, document: Path, file: Path
) -> None:
    enroll(maple, a_class(4))
    rollbook("mapping", "save", "maple-usd", document)
    unknown = rollbook("student", "load", "maple-usd", file, "--header-map", "theirs")
    assert unknown.err.startswith(
        "ERROR no_such_mapping: Maple USD has no column mapping 'theirs'; use ours or none"
    )
    checked = rollbook("student", "check", "maple-usd", file, "--header-map", "ours")
    assert checked.code == SOME_REJECTED, checked.err
    assert Student.objects.get(student_id="s000").grade == "4"
    loaded = rollbook("student", "load", "maple-usd", file, "--header-map", "ours")
    assert loaded.code == SOME_REJECTED, loaded.err
    assert Student.objects.get(student_id="s000").grade == "7"
    refused = rollbook("student", "load", "maple-usd", file, "--header-map", "none")
    assert "key_column_renamed" in refused.out or "REFUSED" in refused.out


def test_a_mapping_is_proposed_by_the_file_and_the_roster(
    rollbook: Rollbook, maple: District, tmp_path: Path
) -> None:
    for school in SCHOOLS:
        maple.school_set.create(organization_id=school, name=school)
    lift_limits(maple)
    enroll(maple, roster(20))
    result = rollbook("mapping", "propose", "maple-usd", FOLDER / "powerschool-students.csv")
    assert (result.code, result.err) == (0, "")
    mapping = MappingDocument.from_json(json.loads(result.out))
    assert mapping.name == "powerschool"
    tabs = tmp_path / "tabs.txt"
    text = (FOLDER / "powerschool-students.csv").read_text(encoding="utf-8")
    tabs.write_text(text.replace(",", "\t"), encoding="utf-8")
    assert rollbook("mapping", "propose", "maple-usd", tabs).out == result.out
    tabs.write_text("Course,Room\nMath,12\n", encoding="utf-8")
    nothing = rollbook("mapping", "propose", "maple-usd", tabs)
    assert nothing.err.startswith("ERROR nothing_to_propose: ")
