"""The changes of an update as a CSV file."""

import csv
import io

import pytest

from rollbook.districts.models import District
from rollbook.students.models import Student
from rollbook.updates.cancel import cancel
from rollbook.updates.exports import changes
from rollbook.updates.exports.original_rows import NotEnded
from rollbook.updates.models import UpdateJob
from rollbook.updates.state_machine import Mode
from tests.updates.night import a_class, applying, enroll, last, run, send

HEADER = ["LINE", "STUDENT_ID", "USERNAME", "FIRST_NAME", "LAST_NAME", "FIELD", "OLD", "NEW", "AT"]


@pytest.fixture
def school(maple: District) -> District:
    enroll(maple, a_class(6, GRADE="4"))
    return maple


def rows_of(update: UpdateJob) -> list[list[str]]:
    header, *rows = csv.reader(
        io.StringIO("".join(changes.csv_lines(update)), newline=""), strict=True
    )
    assert header == HEADER
    return rows


def test_each_changed_field_has_a_line_with_the_old_and_new_value(
    school: District,
) -> None:
    run(
        school,
        """
        STUDENT_ID,GRADE,DOB,PASSWORD,LAST_NAME
        s001,5,2012-05-13,,Lee001
        s002,4,5/14/2012,canary-2,=Lee
        s002,4,2012-05-14,canary-2,Lee-2
        s003,4,2012-05-14,canary-3,Lee-3
        s004,4,,,
        """,
    )
    rows = rows_of(last(school))
    assert [row[:8] for row in rows] == [
        ["2", "s001", "u001", "Ann001", "Lee001", "GRADE", "4", "5"],
        ["5", "s003", "u003", "Ann003", "Lee-3", "PASSWORD", "", "changed"],
        ["5", "s003", "u003", "Ann003", "Lee-3", "LAST_NAME", "Lee003", "Lee-3"],
        ["5", "s003", "u003", "Ann003", "Lee-3", "DOB", "05/13/2012", "05/14/2012"],
    ]
    assert rows[0][8].endswith((" CST", " CDT"))
    assert "canary" not in "".join(changes.csv_lines(last(school)))


def test_added_students_have_a_line_number_while_they_keep_their_id(
    school: District,
) -> None:
    run(school, a_class(8, GRADE="5"), Mode.ADD)
    Student.objects.filter(student_id="s007").update(student_id="another")
    added = [row[:8] for row in rows_of(last(school)) if row[5] == "STUDENT"]
    assert added == [
        ["8", "s006", "u006", "Ann006", "Lee006", "STUDENT", "", "added"],
        ["", "another", "u007", "Ann007", "Lee007", "STUDENT", "", "added"],
    ]


def test_students_with_one_name_and_birth_date_have_their_own_lines(school: District) -> None:
    names = "Jo,Lee,2012-05-13"
    header = "STUDENT_ID,USERNAME,FIRST_NAME,LAST_NAME,DOB"
    run(school, f"{header}\nn1,n1,{names}\nn2,n2,{names}\n,n3,Jó,Lee,2012-05-13", Mode.ADD)
    assert [row[:3] for row in rows_of(last(school))] == [
        ["2", "n1", "n1"],
        ["3", "n2", "n2"],
        ["4", "", "n3"],
    ]


def test_no_cell_can_run_in_a_spreadsheet(school: District) -> None:
    run(school, "STUDENT_ID,ADDITIONAL_INFO_1\ns001,-x\ns002,@x")
    assert [row[7] for row in rows_of(last(school))] == ["'-x", "'@x"]


def test_each_change_of_the_update_is_exported_once_across_queries(
    school: District, cedar: District, monkeypatch: pytest.MonkeyPatch, small_chunks: None
) -> None:
    monkeypatch.setattr(changes, "CHANGES_PER_QUERY", 3)
    enroll(cedar, a_class(6, GRADE="4"))
    ours = send(school, a_class(6, GRADE="5", GENDER="m"))
    theirs = send(cedar, a_class(5, GRADE="7"))
    work = [applying(ours), applying(theirs)]
    for _ in range(4):
        for steps in work:
            next(steps, None)
    for update, count in ((ours, 12), (theirs, 5)):
        update.refresh_from_db()
        rows = rows_of(update)
        assert len(rows) == len({tuple(row) for row in rows}) == count
    assert {row[7] for row in rows_of(theirs)} == {"7"}


def test_a_canceled_update_exports_the_changes_it_made(
    school: District, small_chunks: None
) -> None:
    update = send(school, a_class(6, GRADE="5"))
    applying(update, chunks=1)
    with pytest.raises(NotEnded):
        changes.csv_lines(update)
    cancel(school)
    update.refresh_from_db()
    assert [row[1] for row in rows_of(update)] == ["s000", "s001"]


def test_without_changes_the_file_has_only_a_header(school: District) -> None:
    run(school, a_class(6, GRADE="4"))
    assert rows_of(last(school)) == []
    assert changes.file_name(last(school)) == "update-2-changes.csv"
