"""The archive of a district: complete, harmless, without secrets, and whole or absent."""

import csv
import errno
import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from rollbook.accounts.audit import log
from rollbook.accounts.models import AuditEvent, AuditSeal, Member, SecondFactor, Token
from rollbook.districts.models import District
from rollbook.operations.lifecycle.export import archive, student_tables, verification
from rollbook.operations.lifecycle.export.table import Table
from rollbook.operations.lifecycle.export.tables import TABLES
from rollbook.operations.lifecycle.export.verification import UnusableExport
from rollbook.operations.models import DistrictExport
from rollbook.students import snapshots
from rollbook.students.models import Change, Student
from rollbook.updates.models import Problem, UpdateJob
from rollbook.updates.receiving import file_chunks
from rollbook.updates.receiving import files as spool
from tests.conftest import PASSWORD
from tests.db.database_errors import Kill
from tests.operations.lifecycle.district import STUDENTS
from tests.updates.night import enroll, run, send_bytes

DANGEROUS = ("=", "+", "-", "@", "\t", "\r")


@pytest.fixture
def exported(filled: Member, tmp_path: Path) -> zipfile.ZipFile:
    made = archive.export(filled.district, tmp_path, timezone.now())
    return zipfile.ZipFile(made.path)


def objects(content: zipfile.ZipFile, table: str) -> list[dict[str, Any]]:
    lines = content.read(f"{table}.jsonl").decode().splitlines()
    return [json.loads(line) for line in lines]


def cells(content: zipfile.ZipFile, table: str) -> list[list[str]]:
    text = content.read(f"{table}.csv").decode()
    return list(csv.reader(io.StringIO(text, newline="")))


def unzipped(content: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    for name in content.namelist():
        yield name, content.read(name).decode()


@pytest.mark.statement("S42")
def test_it_has_everything(exported: zipfile.ZipFile, filled: Member) -> None:
    district = filled.district
    records = objects(exported, "students")
    snapshot = next(iter(snapshots.iter_students(snapshots.list_district(district.pk))))
    assert [{**student.values} for student in snapshot] == [
        {name: value for name, value in record.items() if name != "key"} for record in records
    ]
    history = objects(exported, "history")
    assert len(history) == Change.objects.filter(student__district=district).count()
    assert {change["field"] for change in history} >= {"STUDENT", "GRADE"}
    numbers = UpdateJob.objects.filter(district=district).order_by("number")
    assert [update["number"] for update in objects(exported, "updates")] == [
        update.number for update in numbers
    ]
    count = Problem.objects.filter(update__district=district).count()
    assert len(objects(exported, "problems")) == count > 0
    emails = Member.objects.filter(district=district).order_by("email")
    assert [member["email"] for member in objects(exported, "staff")] == [
        member.email for member in emails
    ]
    links = objects(exported, "student_staff")
    assert len(links) == len(objects(exported, "student_groups")) == STUDENTS
    events = objects(exported, "audit_events")
    assert {event["action"] for event in events} >= {"audit", "begin session"}
    seals = {seal["number"]: seal["digest"] for seal in objects(exported, "audit_seals")}
    assert seals == dict(AuditSeal.objects.values_list("number", "digest"))
    assert objects(exported, "transfers")[0]["note"] == "To the new school"
    (settings,) = objects(exported, "settings")
    assert (settings["slug"], settings["files_kept_days"]) == ("maple-usd", 14)


def test_csv_and_json_have_the_same_rows_and_columns(exported: zipfile.ZipFile) -> None:
    for table in TABLES:
        header, *lines = cells(exported, table.name)
        records = objects(exported, table.name)
        assert header == table.header
        assert len(lines) == len(records)
        assert all(list(record) == header for record in records)


def test_the_manifest_and_the_readme_are_right(exported: zipfile.ZipFile) -> None:
    manifest = json.loads(exported.read("manifest.json"))
    readme = exported.read("README.txt").decode()
    named = {"manifest.json", "README.txt"}
    for table in manifest["tables"]:
        assert table["rows"] == len(objects(exported, table["name"]))
        assert all(column["about"] in readme for column in table["columns"])
    entries = [entry for table in manifest["tables"] for entry in table["files"]]
    for entry in [*entries, *manifest["files"]]:
        data = exported.read(entry["file"])
        assert (len(data), hashlib.sha256(data).hexdigest()) == (entry["bytes"], entry["sha256"])
        assert entry["sha256"] in readme
        named.add(entry["file"])
    assert set(exported.namelist()) == named
    assert manifest["district"] == {"name": "Maple USD", "short_name": "maple-usd"}


@pytest.mark.statement("S37")
def test_uploaded_files_have_no_passwords(exported: zipfile.ZipFile) -> None:
    names = [name for name in exported.namelist() if name.startswith("files/")]
    assert len(names) == 8
    first = exported.read("files/update-1.csv").decode()
    assert '"STUDENT_ID"' in first
    assert '"s001"' in first
    assert "PASSWORD" not in first


@pytest.mark.statement("S37")
def test_there_is_no_secret_anywhere(exported: zipfile.ZipFile, filled: Member) -> None:
    secrets = [f"pass{number:03}x" for number in range(STUDENTS)]
    secrets += ["sunny1", "sunny2", "sunny3", PASSWORD]
    secrets += Member.objects.values_list("password", flat=True)
    secrets += Student.objects.values_list("password", flat=True)
    secrets += Token.objects.values_list("digest", flat=True)
    secrets += Token.objects.values_list("key", flat=True)
    secrets += SecondFactor.objects.values_list("encrypted_secret", flat=True)
    secrets = [secret for secret in secrets if len(secret) > 4]
    for name, text in unzipped(exported):
        assert not [secret for secret in secrets if secret in text], name


def test_the_neighbor_is_not_in_it(filled: Member, neighbors: Member, tmp_path: Path) -> None:
    made = archive.export(filled.district, tmp_path, timezone.now())
    for name, text in unzipped(zipfile.ZipFile(made.path)):
        assert "cedar" not in text.casefold(), name


def test_no_cell_is_a_formula(maple: District, tmp_path: Path) -> None:
    enroll(
        maple,
        "STUDENT_ID,USERNAME,FIRST_NAME,LAST_NAME,DOB,ADDITIONAL_INFO_1\n"
        "s1,u1,Ann,Lee,05/13/2012,-1\n",
    )
    Student.objects.update(first_name="=cmd|' /C calc'!A0", additional_info_1="@SUM(A1)")
    made = archive.export(maple, tmp_path, timezone.now())
    content = zipfile.ZipFile(made.path)
    for table in TABLES:
        for line in cells(content, table.name)[1:]:
            assert not [cell for cell in line if cell.startswith(DANGEROUS)], table.name
    (record,) = objects(content, "students")
    assert record["FIRST_NAME"].startswith("=cmd")


def test_files_that_were_not_accepted_or_are_missing_are_named(
    maple: District, tmp_path: Path
) -> None:
    enroll(maple, "STUDENT_ID,USERNAME,FIRST_NAME,LAST_NAME,DOB\ns1,u1,Ann,Lee,05/13/2012\n")
    send_bytes(maple, b"hello")
    update = UpdateJob.objects.get(number=1)
    spool.path_of(update.spool_name).write_bytes(b"damaged")
    file_chunks.remove([update.spool_name])
    made = archive.export(maple, tmp_path, timezone.now())
    manifest = json.loads(zipfile.ZipFile(made.path).read("manifest.json"))
    assert manifest["files"] == []
    assert [entry["update"] for entry in manifest["files_left_out"]] == [1, 2]
    assert "Update 2: not included" in zipfile.ZipFile(made.path).read("README.txt").decode()


def test_an_empty_district_can_be_exported(maple: District, tmp_path: Path) -> None:
    made = archive.export(maple, tmp_path / "maple.zip", timezone.now())
    content = zipfile.ZipFile(made.path)
    assert content.testzip() is None
    assert objects(content, "students") == []
    assert Path(made.path) == tmp_path / "maple.zip"
    assert Path(made.path).stat().st_mode & 0o777 == 0o600


def test_students_are_read_in_pages(
    filled: Member, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(student_tables, "STUDENTS_PER_QUERY", 2)
    made = archive.export(filled.district, tmp_path, timezone.now())
    content = zipfile.ZipFile(made.path)
    keys = [record["key"] for record in objects(content, "students")]
    students = Student.objects.filter(district=filled.district)
    assert keys == sorted(students.values_list("pk", flat=True))


def test_it_is_recorded_with_its_digest_before_it_appears(
    filled: Member, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(part: Path, path: Path) -> None:
        raise Kill

    monkeypatch.setattr(archive, "_give_name", die)
    with pytest.raises(Kill):
        archive.export(filled.district, tmp_path, timezone.now())
    assert list(tmp_path.iterdir()) == []
    event = AuditEvent.objects.get(action="district export")
    assert event.district == filled.district
    assert event.detail.startswith(f"{STUDENTS} students, 8 files, with confidential information, ")
    assert DistrictExport.objects.get(district=filled.district).digest in event.detail


def test_a_full_disk_leaves_nothing(
    filled: Member, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Table.csv_lines

    def fail(self: Table, district: District) -> Iterator[str]:
        yield from real(self, district)
        if self.name == "history":
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Table, "csv_lines", fail)
    with pytest.raises(OSError, match="No space left"):
        archive.export(filled.district, tmp_path, timezone.now())
    assert list(tmp_path.iterdir()) == []
    assert not AuditEvent.objects.filter(action="district export").exists()


def test_what_a_killed_export_left_is_removed_by_the_next(maple: District, tmp_path: Path) -> None:
    left = tmp_path / f"{archive.UNFINISHED_PREFIX}0123{archive.UNFINISHED_SUFFIX}"
    left.write_bytes(b"half")
    other = tmp_path / ".rollbook-export.txt"
    other.write_bytes(b"mine")
    made = archive.export(maple, tmp_path, timezone.now())
    assert {path.name for path in tmp_path.iterdir()} == {Path(made.path).name, other.name}


def test_another_file_is_not_replaced(maple: District, tmp_path: Path) -> None:
    target = tmp_path / "maple.zip"
    target.write_bytes(b"mine")
    with pytest.raises(archive.FileExists):
        archive.export(maple, target, timezone.now())
    assert target.read_bytes() == b"mine"


def test_an_export_is_usable_until_something_changes(filled: Member, tmp_path: Path) -> None:
    district = filled.district
    made = archive.export(district, tmp_path, timezone.now())
    assert verification.require_usable(district) == made
    run(district, "STUDENT_ID,GRADE\ns001,2\n")
    assert _reason(district) == "export_outdated"


def test_an_old_export_is_outdated_by_an_edit_by_hand(filled: Member, tmp_path: Path) -> None:
    district = filled.district
    archive.export(district, tmp_path, timezone.now())
    log.record("sign in", "ok", member=filled)
    log.record("student", "seen", member=filled)
    assert verification.require_usable(district)
    log.record("student", "changed", member=filled, now=timezone.now() + timedelta(seconds=1))
    assert _reason(district) == "export_outdated"


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (lambda path: path.unlink(), "export_missing"),
        (lambda path: path.write_bytes(b"other"), "export_changed"),
    ],
)
def test_an_export_must_exist_unchanged(
    maple: District, tmp_path: Path, damage: Any, code: str
) -> None:
    assert _reason(maple) == "no_export"
    made = archive.export(maple, tmp_path, timezone.now())
    damage(Path(made.path))
    assert _reason(maple) == code


def _reason(district: District) -> str:
    with pytest.raises(UnusableExport) as caught:
        verification.require_usable(district)
    return caught.value.code
