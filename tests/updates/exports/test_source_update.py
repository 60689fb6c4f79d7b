"""An update of exported rows is linked to the update that they come from."""

import csv
import io

import pytest

from rollbook.districts.models import District
from rollbook.updates.cancel import cancel
from rollbook.updates.exports import rejected_rows, source_update, unprocessed_rows
from rollbook.updates.models import UpdateJob
from tests.updates.night import (
    a_class,
    enroll,
    finish,
    last,
    problems,
    report_of,
    run,
    send,
    send_bytes,
    values_of,
)


@pytest.fixture(scope="module")
def enrolled(maple_once: District) -> None:
    enroll(maple_once, a_class(3))
    run(maple_once, "STUDENT_ID,GRADE\ns000,5\ns001,15\ns002,14")


@pytest.fixture
def school(enrolled: None, maple: District) -> District:
    return maple


def fixed(update: UpdateJob) -> bytes:
    return "".join(rejected_rows.csv_lines(update)).replace('"15"', '"6"').encode()


def test_fixed_rows_are_linked_to_the_update_that_they_come_from(school: District) -> None:
    first = last(school)
    second = send_bytes(school, fixed(first)).update
    assert second.corrects == first
    assert (report_of(second).corrects, report_of(second).corrected_by) == (2, ())
    finish(second)
    third = send_bytes(school, fixed(second).replace(b'"14"', b'"7"')).update
    assert (
        report_of(first).corrected_by,
        report_of(second).corrected_by,
        report_of(third).corrects,
    ) == (
        (3,),
        (4,),
        3,
    )
    assert finish(third).updated == 1


def test_several_files_may_correct_the_same_update(school: District) -> None:
    first = last(school)
    for grade in (b"15", b"16"):
        finish(send_bytes(school, fixed(first).replace(b'"14"', grade)).update)
    assert report_of(first).corrected_by == (3, 4)


def test_unprocessed_rows_name_their_update_too(school: District) -> None:
    update = send(school, a_class(3, GRADE="9"))
    cancel(school)
    update.refresh_from_db()
    again = send_bytes(school, "".join(unprocessed_rows.csv_lines(update)).encode()).update
    assert again.corrects == update
    assert finish(again).updated == 3


@pytest.mark.parametrize(
    ("header", "number"),
    [
        ("STUDENT_ID,GRADE,_LINE_OF_UPDATE_2", 2),
        ("STUDENT_ID,GRADE,_line of update 2", 2),
        ("STUDENT_ID,GRADE,_LINE_OF_UPDATE_7", None),
        ("STUDENT_ID,GRADE,_LINE_OF_UPDATE_99999999999999999999", None),
        ("STUDENT_ID,GRADE,_LINE_OF_UPDATE_", None),
        ("STUDENT_ID,GRADE,LINE_OF_UPDATE_2", None),
        ("STUDENT_ID,GRADE,_LINE", None),
    ],
)
def test_only_the_column_with_the_number_of_an_own_update_counts(
    school: District, header: str, number: int | None
) -> None:
    update = send_bytes(school, f"{header}\ns000,6,2\n".encode()).update
    assert report_of(update).corrects == number
    assert finish(update).updated == 1


def test_the_number_never_refers_to_an_update_of_another_district(
    school: District, cedar: District
) -> None:
    send_bytes(cedar, b"STUDENT_ID\n")
    update = send_bytes(cedar, fixed(last(school)).replace(b"_2", b"_3")).update
    assert (update.number, update.corrects) == (2, None)
    finish(update)
    enroll(cedar, a_class(3))
    own = send_bytes(cedar, fixed(last(school))).update
    assert own.corrects == update
    assert report_of(last(school)).corrected_by == ()


def test_a_refused_file_is_linked_as_well(school: District) -> None:
    update = send_bytes(school, b"STUDENT_ID,GRADE,_LINE_OF_UPDATE_2\n").update
    assert (update.state, report_of(update).corrects) == ("refused", 2)


def test_columns_of_an_earlier_export_are_left_out(school: District) -> None:
    update = send_bytes(
        school, b"STUDENT_ID,GRADE,_LINE,_CODE,_MESSAGE,_LINE_OF_UPDATE_2,_MINE\ns000,15,,,,2,x\n"
    ).update
    finish(update)
    update.refresh_from_db()
    header, row = csv.reader(io.StringIO("".join(rejected_rows.csv_lines(update)), newline=""))
    assert header == ["STUDENT_ID", "GRADE", "_MINE", "_LINE_OF_UPDATE_3", "_CODE", "_MESSAGE"]
    assert row[:4] == ["s000", "15", "x", "2"]


def test_which_columns_are_return_columns() -> None:
    assert all(
        map(
            source_update.is_return_column,
            ["_LINE", "_CODE", "_message", source_update.line_column(17)],
        )
    )
    assert not any(
        map(source_update.is_return_column, ["LINE", "_LINES", "_LINE_OF_UPDATE_x", "_CODE_2"])
    )


def test_rejected_rows_of_a_file_with_both_date_orders_still_have_both(school: District) -> None:
    """Alone, their dates would be read with the month first, as the district has set."""
    run(school, "STUDENT_ID,DOB,GRADE\ns000,13/05/2014,99\ns001,11/25/2013,4\ns002,05/06/2013,4")
    first = last(school)
    assert problems(first)[4] == ["ambiguous_date"]
    rejected = "".join(rejected_rows.csv_lines(first))
    again = send_bytes(school, rejected.replace('"99"', '"5"').encode()).update
    assert (finish(again).updated, finish(again).rejected) == (1, 1)
    assert problems(again) == {3: ["ambiguous_date"]}
    corrected = "".join(rejected_rows.csv_lines(again)).replace("05/06/2013", "2013-06-05")
    assert finish(send_bytes(school, corrected.encode()).update).updated == 1
    assert values_of(school, "s002", "DOB") == ("2013-06-05",)
