"""The rejected rows as a student file; its format is tested with the CLI command."""

import csv
import io
from collections.abc import Iterator

import pytest

from rollbook.districts.models import District
from rollbook.studentfile.reading import reader
from rollbook.updates.exports import rejected_rows
from rollbook.updates.exports.original_rows import NotEnded
from rollbook.updates.models import FileChunk, UpdateJob
from rollbook.updates.receiving import files
from rollbook.updates.state_machine import Mode
from tests.updates.night import a_class, applying, enroll, finish, last, run, send


@pytest.fixture
def school(maple: District) -> District:
    enroll(maple, a_class(4))
    return maple


def rows_of(lines: Iterator[str]) -> list[list[str]]:
    return list(
        csv.reader(io.StringIO("".join(lines).removeprefix("\ufeff"), newline=""), strict=True)
    )


def test_rows_are_in_file_order_with_all_errors_and_no_warnings(
    school: District, small_batches: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_records = reader.read_records
    monkeypatch.setattr(
        reader,
        "read_records",
        lambda *args, **options: read_records(*args, **{**options, "size": 2}),
    )
    run(
        school,
        """
        STUDENT_ID,GRADE,GENDER
        s000,5,f
        x1,15,q
        s001 ,5,f

        s001,6,f
        s002,15,f
        s003,5,f
        x2,5,f
        """,
    )
    header, *rows = rows_of(rejected_rows.csv_lines(last(school)))
    assert header[-3:] == ["_LINE_OF_UPDATE_2", "_CODE", "_MESSAGE"]
    assert [(row[0], row[3], row[4]) for row in rows] == [
        ("x1", "3", "bad_value"),
        ("s001 ", "4", "conflicting_duplicate"),
        ("s001", "6", "conflicting_duplicate"),
        ("s002", "7", "bad_value"),
        ("x2", "9", "unknown_student"),
    ]
    assert rows[0][5].startswith('GRADE: "15" isn\'t a grade ')
    assert ' | GENDER: "q" isn\'t a gender ' in rows[0][5]


def test_the_file_has_a_byte_order_mark_if_the_district_uses_another_encoding(
    school: District,
) -> None:
    run(school, "STUDENT_ID,GRADE\nx1,15")
    update = last(school)
    assert not next(rejected_rows.csv_lines(update)).startswith("\ufeff")
    update.district.encoding = "cp1252"
    assert next(rejected_rows.csv_lines(update)) == "\ufeff"


def test_an_unfinished_update_has_no_such_file(school: District) -> None:
    update = send(school, "STUDENT_ID,GRADE\nx1,5\ns000,5")
    for _ in range(2):
        with pytest.raises(NotEnded):
            rejected_rows.csv_lines(update)
        applying(update)
        update.refresh_from_db()
    finish(update)
    assert len(rows_of(rejected_rows.csv_lines(update))) == 2


def test_a_missing_file_is_reported_at_once(school: District) -> None:
    run(school, "STUDENT_ID,GRADE\nx1,5")
    update = last(school)
    files.path_of(update.spool_name).unlink()
    FileChunk.objects.all().delete()
    with pytest.raises(files.FileMissing):
        rejected_rows.csv_lines(update)


def test_without_rejected_rows_the_file_itself_is_not_needed(school: District) -> None:
    update = UpdateJob.objects.get()
    files.path_of(update.spool_name).unlink()
    FileChunk.objects.all().delete()
    assert len(rows_of(rejected_rows.csv_lines(update))) == 1
    assert rejected_rows.file_name(update) == "update-1-rejected.csv"


def test_rows_with_a_conflict_while_applying_are_exported_too(school: District) -> None:
    update = send(school, a_class(1, USERNAME="wanted"))
    work = applying(update)
    school.student_set.filter(student_id="s003").update(username="wanted")
    list(work)
    update.refresh_from_db()
    assert [row[-2] for row in rows_of(rejected_rows.csv_lines(update))[1:]] == [
        "changed_meanwhile"
    ]


def test_missing_values_of_a_new_student_are_reported(school: District) -> None:
    run(school, "STUDENT_ID,FIRST_NAME,LAST_NAME,DOB,GENDER\nn1,Zoe,Fox,2012-01-01,", Mode.ADD)
    assert "required" in rows_of(rejected_rows.csv_lines(last(school)))[1][-2]
