"""Files with damaged rows and lines without students, from receiving to the exports."""

import csv
import io

import pytest

from rollbook.districts.models import District
from rollbook.updates.exports import rejected_rows
from rollbook.updates.models import UpdateJob
from tests.updates.night import (
    a_class,
    column_of,
    counts,
    enroll,
    finish,
    last,
    problems,
    report_of,
    send_bytes,
    stored_problems,
)

MESSY = (
    b"Maple USD,,\n"
    b"STUDENT_ID,GRADE,_NOTE\n"
    b"----------,-----,-----\n"
    b"s000,5,Zo\xc3\xab\n"
    b's001,5,"a "b" c"\n'
    b"s002,5,x\0y\n"
    b"s003,5,\xc3\n"
    b's004,"5"x,\n'
    b"\0\0\n"
    b's005,5,"one\ntwo\n\n\nfive\nsix\nseven"\n'
    b"s006,5,,\n"
    b"\n"
    b"(9 rows affected)\n"
    b"\x1a\r\n"
)
REJECTED = {
    5: ["bad_quote"],
    6: ["nul_byte"],
    7: ["damaged_text"],
    8: ["bad_quote"],
    9: ["nul_byte"],
}


@pytest.fixture
def school(maple: District) -> District:
    enroll(maple, a_class(7, GRADE="4"))
    return maple


def upload(school: District, data: bytes = MESSY) -> UpdateJob:
    finish(send_bytes(school, data).update)
    return last(school)


def row_problems(update: UpdateJob) -> dict[int, list[str]]:
    return {line: codes for line, codes in problems(update).items() if line in REJECTED}


@pytest.mark.usefixtures("small_batches")
def test_each_row_has_one_outcome_and_good_rows_are_applied(school: District) -> None:
    update = upload(school)
    result = report_of(update)
    assert (result.rows, result.rejected, result.updated) == (8, 5, 3)
    assert row_problems(update) == REJECTED
    assert column_of(school, "GRADE") == {
        f"s00{number}": "5" if number in (0, 5, 6) else "4" for number in range(7)
    }


def test_the_same_file_again_changes_nothing_and_rejects_the_same_rows(school: District) -> None:
    upload(school)
    update = upload(school)
    result = report_of(update)
    assert (result.rows, result.rejected, result.unchanged) == (8, 5, 3)
    assert row_problems(update) == REJECTED


def test_the_file_of_rejected_rows_contains_no_damage(school: District) -> None:
    text = "".join(rejected_rows.csv_lines(upload(school)))
    header, *rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert [row[: header.index("_NOTE") + 1] for row in rows] == [
        ["s001", "5", 'a "b" c'],
        ["s002", "5", "xy"],
        ["s003", "5", "\ufffd"],
        ["s004", '5"x', ""],
        ["", "", ""],
    ]


def test_a_damaged_row_of_a_student_who_is_in_the_file_again_is_a_conflict(
    school: District,
) -> None:
    update = upload(school, b'STUDENT_ID,GRADE\ns000,5\ns000,"6"x\ns001,5\n')
    assert column_of(school, "GRADE")["s000"] == "4"
    assert problems(update)[2] == ["conflicting_duplicate"]
    assert "bad_quote" in problems(update)[3]


@pytest.mark.statement("S37")
@pytest.mark.parametrize(
    "row", [b's000,"canary"x,5\n', b's000,can"ary,"5"x\n', b's000,"canary,5\n']
)
def test_no_problem_or_export_contains_a_password(school: District, row: bytes) -> None:
    update = upload(school, b"STUDENT_ID,PASSWORD,GRADE\ns001,secret-word,5\n" + row)
    stored = [str(problem) for problem in stored_problems(update)]
    assert report_of(update).rejected == 1
    assert "can" not in "".join([*stored, *rejected_rows.csv_lines(update)])


def test_text_in_utf_8_is_read_as_such_whatever_the_district_has_set(school: District) -> None:
    school.encoding = "cp1252"
    school.save()
    update = upload(school, "STUDENT_ID,ADDITIONAL_INFO_1\ns000,Zoë\n".encode())
    assert column_of(school, "ADDITIONAL_INFO_1")["s000"] == "Zoë"
    assert update.detected_encoding == "utf-8"
    assert counts(report_of(update))["updated"] == 1
