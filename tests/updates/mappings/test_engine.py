"""A file is received, checked, applied and corrected through a column mapping."""

import csv
import io
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from rollbook.districts.models import District
from rollbook.studentfile.mapping.mapping import MappingDocument
from rollbook.students.models import Student
from rollbook.updates.exports import rejected_rows
from rollbook.updates.mappings import store
from rollbook.updates.mappings.choice import DistrictMappings, UnknownMapping
from rollbook.updates.models import ColumnMapping
from rollbook.updates.state_machine import State
from tests.updates.night import a_class, enroll, finish, known, last, run, send, send_bytes

HEADER = "Nr,Name,Born,Level,Type\n"


def document(**changed: Any) -> MappingDocument:
    split = {"step": "split", "at": ","}
    columns = [
        {"to": "STUDENT_ID", "from": ["Nr"], "steps": [{"step": "strip", "prefix": "#"}]},
        {"to": "FIRST_NAME", "from": ["Name"], "steps": [{**split, "take": 2}]},
        {"to": "LAST_NAME", "from": ["Name"], "steps": [{**split, "take": 1}]},
        {"to": "GRADE", "from": ["Level"]},
    ]
    keep = [{"column": "Type", "is": ["student"]}]
    base = {"name": "sis", "columns": columns, "keep": keep, "ignore": ["Born"]}
    return MappingDocument.from_json({**base, **changed})


def save(district: District, mapping: MappingDocument | None = None) -> ColumnMapping:
    saved = store.save(district, mapping or document(), None, timezone.now())
    assert saved
    return saved


def file_of(*rows: tuple[str, str, str]) -> bytes:
    lines = (
        f'#{number},"Lee{number[1:]}, Ann{number[1:]}",,{grade},{kind}'
        for number, grade, kind in rows
    )
    return (HEADER + "\n".join(lines) + "\n").encode()


def rows_of(lines: Iterator[str]) -> list[list[str]]:
    text = "".join(lines).removeprefix("\ufeff")
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


@pytest.fixture
def school(maple: District) -> District:
    enroll(maple, a_class(6))
    return maple


ROWS = [
    ("s000", "7", "student"),
    ("s001", "8", "Student"),
    ("t1", "9", "staff"),
    ("x", "9", "student"),
]


def test_a_standing_mapping_applies_when_the_header_has_its_columns(school: District) -> None:
    saved = save(school)
    report = finish(send_bytes(school, file_of(*ROWS)).update)
    assert (report.state, report.rows, report.updated, report.rejected) == (
        State.COMPLETED,
        3,
        2,
        1,
    )
    assert (report.mapping, report.mapping_version) == ("sis", 1)
    assert last(school).mapping == saved
    assert {group.code for group in report.groups} == {"unknown_student", "rows_not_kept"}
    assert dict(Student.objects.values_list("student_id", "grade")).get("s001") == "8"


def test_without_a_mapping_the_file_is_refused(school: District) -> None:
    report = finish(send_bytes(school, file_of(*ROWS)).update)
    assert report.state is State.REFUSED


def test_a_removed_mapping_applies_no_longer(school: District) -> None:
    save(school)
    store.remove(school, "sis", None, timezone.now())
    assert finish(send_bytes(school, file_of(*ROWS)).update).state is State.REFUSED
    assert store.find_all(school.pk) == []
    assert save(school).version == 3


def test_rejected_rows_are_those_of_the_file_and_can_be_corrected(school: District) -> None:
    save(school)
    finish(send_bytes(school, file_of(("s000", "99", "student"), *ROWS[1:3])).update)
    header, row = rows_of(rejected_rows.csv_lines(last(school)))
    assert header[:5] == ["Nr", "Name", "Born", "Level", "Type"]
    assert row[:6] == ["#s000", "Lee000, Ann000", "", "99", "student", "2"]
    assert "(GRADE is Level)" in row[7]
    # The columns that are exported may be fewer than those of the mapping.
    header[4], row[4], row[3] = "_Type", "", "10"
    lines = io.StringIO()
    csv.writer(lines).writerows([header, row])
    report = finish(send_bytes(school, lines.getvalue().encode()).update)
    assert (report.rows, report.updated, report.rejected, report.corrects) == (1, 1, 0, 2)
    assert report.mapping == "sis"
    assert Student.objects.get(student_id="s000").grade == "10"


def test_rows_of_a_file_without_a_mapping_are_corrected_without_one(school: District) -> None:
    run(school, "STUDENT_ID,GRADE\ns000,99")
    save(school, document(columns=[{"to": "STUDENT_ID", "from": ["GRADE"]}], keep=[], ignore=[]))
    header, row = rows_of(rejected_rows.csv_lines(last(school)))
    row[1] = "5"
    report = finish(
        send_bytes(school, f"{','.join(header)}\n{','.join(row[:3])},,\n".encode()).update
    )
    assert (report.mapping, report.rejected, report.updated) == ("", 0, 1)


def test_the_same_file_is_known_until_the_mapping_changes(school: District) -> None:
    save(school)
    data = file_of(*[(f"s{number:03}", "7", "student") for number in range(6)])
    finish(send_bytes(school, data).update)
    assert len(known(school)) == 6
    report = finish(send_bytes(school, data).update)
    assert (report.updated, report.unchanged, report.staged) == (0, 6, 0)
    table = {"step": "translate", "table": {"7": "9"}, "otherwise": "keep"}
    columns = [
        {"to": "STUDENT_ID", "from": ["Nr"], "steps": [{"step": "strip", "prefix": "#"}]},
        {"to": "GRADE", "from": ["Level"], "steps": [table]},
    ]
    save(school, document(columns=columns, keep=[], ignore=["Name", "Born", "Type"]))
    report = finish(send_bytes(school, data).update)
    assert (report.mapping_version, report.updated, report.unchanged) == (2, 6, 0)


def test_a_waiting_file_is_another_one_under_another_mapping(school: District) -> None:
    save(school)
    data = file_of(*ROWS[:2])
    first = send_bytes(school, data)
    assert send_bytes(school, data).update == first.update
    save(school, document(ignore=["Born", "Bus"]))
    second = send_bytes(school, data)
    assert not second.replayed
    assert send_bytes(school, data).update == second.update
    versions = [
        update.mapping and update.mapping.version for update in (first.update, second.update)
    ]
    assert versions == [1, 2]


def test_a_mapping_is_requested_by_its_name(school: District) -> None:
    save(school)
    save(school, document(name="other", columns=[{"to": "STUDENT_ID", "from": ["Serial"]}]))
    data = file_of(*ROWS[:2])
    assert finish(send_bytes(school, data, header_map="sis").update).updated == 2
    missing = finish(send_bytes(school, data, header_map="other").update)
    assert missing.refusal
    assert missing.refusal.code == "mapping_columns"
    assert "It reads Serial: export them too" in missing.refusal.message
    assert finish(send_bytes(school, data, header_map="none").update).state is State.REFUSED
    with pytest.raises(UnknownMapping) as unknown:
        send_bytes(school, data, header_map="ours")
    assert unknown.value.repair == "use other or sis or none"


def test_a_requested_mapping_reads_a_file_with_our_own_columns(school: District) -> None:
    pad = [{"step": "replace", "text": "S", "by": "s"}]
    columns = [
        {"to": "STUDENT_ID", "from": ["STUDENT_ID"], "steps": pad},
        {"to": "GRADE", "from": ["GRADE"]},
    ]
    save(school, document(columns=columns, keep=[], ignore=[]))
    assert run(school, "STUDENT_ID,GRADE\nS000,7").rejected == 1
    assert run(school, "STUDENT_ID,GRADE\nS000,7", header_map="sis").updated == 1


def test_groups_with_a_separator_are_checked_in_the_mapped_text(school: District) -> None:
    steps = [{"step": "replace", "text": ";", "by": "&"}]
    columns = [
        {"to": "STUDENT_ID", "from": ["Nr"]},
        {"to": "GROUPS", "from": ["Clubs"], "steps": steps},
    ]
    save(school, document(columns=columns, keep=[], ignore=[]))
    report = run(school, "Nr,Clubs\ns000,Arts;Crafts")
    assert [group.code for group in report.groups] == ["ambiguous_groups"]


@pytest.mark.usefixtures("small_batches")
def test_duplicates_are_found_in_mapped_values(school: District) -> None:
    save(school)
    rows = [("s000", "7", "student"), ("s001", "8", "student"), ("s000", "9", "student")]
    report = finish(send_bytes(school, file_of(*rows)).update)
    assert (report.updated, report.rejected) == (1, 2)


def test_a_version_cannot_be_changed(maple: District) -> None:
    saved = save(maple)
    with pytest.raises(DatabaseError, match="cannot be changed"), transaction.atomic():
        ColumnMapping.objects.filter(pk=saved.pk).update(name="other")


def test_the_same_mapping_is_not_saved_twice(maple: District) -> None:
    save(maple)
    assert store.save(maple, document().as_version(7), None, timezone.now()) is None
    assert [each.version for each in store.versions(maple.pk, "sis", 5)] == [1]
    assert str(ColumnMapping.objects.get()) == "mapping sis 1 of maple-usd"


def test_mappings_and_versions_are_limited(
    maple: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MAX_MAPPINGS", 1)
    monkeypatch.setattr(store, "MAX_VERSIONS", 2)
    save(maple)
    with pytest.raises(Exception, match="remove one first"):
        save(maple, document(name="other"))
    save(maple, document(ignore=[]))
    with pytest.raises(Exception, match="save it under another name"):
        save(maple)


def test_a_mapping_of_another_district_does_not_apply(maple: District, cedar: District) -> None:
    save(cedar)
    assert DistrictMappings(maple).fitting(HEADER.strip().split(",")) is None
    assert DistrictMappings(cedar).fitting(HEADER.strip().split(","))


def test_a_file_in_the_queue_keeps_its_version(school: District) -> None:
    save(school)
    waiting = send(school, file_of(*ROWS[:2]).decode())
    store.remove(school, "sis", None, timezone.now())
    assert finish(waiting).updated == 2
