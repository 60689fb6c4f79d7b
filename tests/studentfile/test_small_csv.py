"""Small CSV files with a fixed header."""

import pytest

from rollbook.studentfile import small_csv
from rollbook.studentfile.small_csv import CsvRejected

COLUMNS = ("SCHOOL_ID", "NAME")


def test_columns_can_be_in_any_order_and_blank_lines_are_skipped() -> None:
    table = small_csv.read(
        b"\xef\xbb\xbf name ,School ID\r\n\r\n Maple High ,100\r\n,,\r\n", ("NAME", "SCHOOL_ID")
    )
    assert table.rows == [(3, {"NAME": "Maple High", "SCHOOL_ID": "100"})]
    assert table.problems == []


def test_only_letters_and_digits_of_column_names_count() -> None:
    table = small_csv.read(b"SchoolId,[Name]\n100,Maple High\n", COLUMNS)
    assert table.rows == [(2, {"SCHOOL_ID": "100", "NAME": "Maple High"})]


def test_a_cell_with_two_lines_does_not_shift_the_line_numbers() -> None:
    table = small_csv.read(b'SCHOOL_ID,NAME\n100,"Maple\nHigh"\n200,West\n', COLUMNS)
    assert [line for line, _ in table.rows] == [2, 4]


def test_a_line_with_more_or_fewer_cells_is_a_problem_and_the_others_are_read() -> None:
    table = small_csv.read(b"SCHOOL_ID,NAME\n100,Maple, High\n200,West\n300\n", COLUMNS)
    assert [line for line, _ in table.rows] == [3]
    assert table.problems == [
        (2, "there must be 2 cells, not 3; put values that contain a comma in quotation marks"),
        (4, "there must be 2 cells, not 1; put values that contain a comma in quotation marks"),
    ]


def test_utf_16_is_accepted_as_spreadsheets_write_it() -> None:
    assert (
        small_csv.read("SCHOOL_ID,NAME\n100,Đặng\n".encode("utf-16"), COLUMNS).rows[0][1]["NAME"]
        == "Đặng"
    )


@pytest.mark.parametrize(
    ("data", "code", "text"),
    [
        (b"", "wrong_header", "line 1 must be SCHOOL_ID,NAME but is empty; correct it"),
        (
            b"SCHOOL_ID;NAME\n",
            "wrong_header",
            "line 1 must be SCHOOL_ID,NAME but is SCHOOL_ID;NAME; correct it",
        ),
        (
            b"SCHOOL_ID,NAME\n100,Jos\xe9\n",
            "not_utf8",
            "line 2 is not UTF-8; save the file as CSV UTF-8",
        ),
        (b'SCHOOL_ID,NAME\n100,"a"b\n', "not_csv", "line 2 is not CSV"),
        (b'SCHOOL_ID,NAME\n100,"open\n', "not_csv", "line 2 is not CSV"),
        (
            b"PK\x03\x04 xl/workbook.xml",
            "spreadsheet_not_csv",
            "line 1 shows that this is not a CSV file",
        ),
    ],
)
def test_any_other_file_is_rejected_as_a_whole(data: bytes, code: str, text: str) -> None:
    with pytest.raises(CsvRejected) as caught:
        small_csv.read(data, COLUMNS)
    assert caught.value.code == code
    assert str(caught.value).startswith(text)
