"""Files with other delimiters than commas are read with the same rows on the same lines."""

import csv
import io
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rollbook.studentfile.limits import Limits
from rollbook.studentfile.reading import reader
from rollbook.studentfile.reading.conversion.convert import Conversion, convert
from rollbook.studentfile.reading.reader import FileScan

DELIMITERS = [";", "\t", "|"]
HEADER = ["STUDENT_ID", "FIRST_NAME", "LAST_NAME", "DOB"]


def convert_bytes(
    folder: Path, data: bytes, encoding: str = "utf-8"
) -> tuple[Conversion, bytes | None]:
    """Return the conversion of a file, and the converted file."""
    file = folder / "students.csv"
    file.write_bytes(data)
    written = io.BytesIO()
    conversion = convert(file, encoding=encoding, limits=Limits(), write=written.write)
    return conversion, written.getvalue() if conversion.is_converted else None


def scan_bytes(folder: Path, data: bytes) -> FileScan:
    file = folder / "converted.csv"
    file.write_bytes(data)
    return reader.scan(file)


def rows_of(folder: Path, data: bytes) -> list[tuple[int, list[str]]]:
    """Return the rows as the reader returns them, the header first."""
    scan = scan_bytes(folder, data)
    assert scan.header is not None, scan.problems
    batches = reader.read_records(folder / "converted.csv", encoding="utf-8", header=scan.header)
    rows = [(row.line, row.cells) for batch in batches for row in batch.rows(scan.header)]
    return [(0, list(scan.header.names)), *rows]


def codes(conversion: Conversion) -> list[str]:
    return [problem.code for problem in conversion.problems]


@pytest.mark.parametrize("delimiter", DELIMITERS)
@pytest.mark.parametrize(
    ("text", "converted"),
    [
        ("STUDENT_ID;GRADE\n1;4\n", "STUDENT_ID,GRADE\n1,4\n"),
        ("STUDENT_ID;GRADE\r\n1;4\r\n2;5", "STUDENT_ID,GRADE\r\n1,4\r\n2,5"),
        ("STUDENT_ID;GRADE\r1;4\r", "STUDENT_ID,GRADE\r1,4\r"),
        ("\n\nSTUDENT_ID;GRADE\n1;4\n", "\n\nSTUDENT_ID,GRADE\n1,4\n"),
        ("STUDENT_ID;GRADE\n1;a, b\n", 'STUDENT_ID,GRADE\n1,"a, b"\n'),
        ('STUDENT_ID;GRADE\n1;"a; b"\n', 'STUDENT_ID,GRADE\n1,"a; b"\n'),
        ('STUDENT_ID;GRADE\n1;"a, ""b"""\n', 'STUDENT_ID,GRADE\n1,"a, ""b"""\n'),
        ('STUDENT_ID;GRADE\n1;5" pipe, x\n', 'STUDENT_ID,GRADE\n1,"5"" pipe, x"\n'),
        ('STUDENT_ID;GRADE\n1;"two\nlines;"\n', 'STUDENT_ID,GRADE\n1,"two\nlines;"\n'),
        ('STUDENT_ID;GRADE\n"1";"4"\n', 'STUDENT_ID,GRADE\n"1","4"\n'),
        ('STUDENT_ID;GRADE\n1;"a"x, y\n2;3\n', 'STUDENT_ID,GRADE\n1,"a"x; y\n2,3\n'),
        ("STUDENT_ID;GRADE\n1;\n;;;\n", "STUDENT_ID,GRADE\n1,\n,,,\n"),
        ("sep=;\nSTUDENT_ID;GRADE\n1;a,b\n", '\nSTUDENT_ID,GRADE\n1,"a,b"\n'),
        ('"sep=;"\r\nSTUDENT_ID;GRADE\r\n1;4\r\n', "\r\nSTUDENT_ID,GRADE\r\n1,4\r\n"),
        ("SEP=;\nX;Y\n1;4\n", "\nX,Y\n1,4\n"),
        (
            "Students of Maple;;\nSTUDENT_ID;GRADE\n1;4\n",
            "Students of Maple,,\nSTUDENT_ID,GRADE\n1,4\n",
        ),
        ("Alias;Roepnaam;Klas\n1;a;b\n2;c,d;\n", 'Alias,Roepnaam,Klas\n1,a,b\n2,"c,d",\n'),
        (
            'LAST_NAME;FIRST_NAME;DOB;"Notes, STAFF"\na;b;c;d\n',
            'LAST_NAME,FIRST_NAME,DOB,"Notes, STAFF"\na,b,c,d\n',
        ),
    ],
)
def test_cells_and_lines_stay_the_same(
    tmp_path: Path, delimiter: str, text: str, converted: str
) -> None:
    sent = text.replace(";", delimiter)
    conversion, written = convert_bytes(tmp_path, sent.encode())
    assert written == converted.replace(";", delimiter).encode()
    assert codes(conversion) == ["other_delimiter"]


@pytest.mark.parametrize(
    "text",
    [
        "STUDENT_ID,GRADE\n1,a;b\n",
        "STUDENT_ID\n1\n",
        "STUDENT_ID,NOTES;DOB;GRADE\n1,x;y;z\n",
        "STUDENT_ID:GRADE\n1:4\n",
        "NAME;CLASS\nAna;4\n",
        "GROUPS,STUDENT_ID\nChoir|Art;Band\t,1\n",
        "1;Ana;Brook\n2;Ben;Cole\n",
        "Alias;Roepnaam;Klas\n",
        "Alias;Roepnaam;Klas\n1;a;b\n2;c\n",
        "Alias;Roepnaam;Roepnaam\n1;a;b\n",
        "Alias;Roepnaam;Klas, Groep\n1;a;b\n",
        "Alias;Roepnaam;Klas|Groep|Jaar\n1;a;b|c|d\n",
        "STUDENT_ID;DOB|GRADE\n",
        "",
        "\n",
        "a",
    ],
)
def test_other_files_are_left_as_they_are(tmp_path: Path, text: str) -> None:
    assert convert_bytes(tmp_path, text.encode()) == (Conversion(), None)


@pytest.mark.parametrize(
    ("text", "converted"),
    [
        ("sep=,\nSTUDENT_ID,GRADE\n1,4\n", "\nSTUDENT_ID,GRADE\n1,4\n"),
        ('"sep=,"\nSTUDENT_ID,GRADE\n1,4\n', "\nSTUDENT_ID,GRADE\n1,4\n"),
        ("sep=;\nSTUDENT_ID,GRADE\n1,4\n", "\nSTUDENT_ID,GRADE\n1,4\n"),
    ],
)
def test_a_sep_line_before_commas_becomes_a_blank_line(
    tmp_path: Path, text: str, converted: str
) -> None:
    assert convert_bytes(tmp_path, text.encode()) == (
        Conversion(is_converted=True),
        converted.encode(),
    )


@pytest.mark.parametrize(
    ("written_in", "setting", "expected"),
    [
        ("utf-8", "utf-8", ["other_delimiter"]),
        ("utf-8-sig", "cp1252", ["other_delimiter"]),
        ("utf-16", "utf-8", ["other_delimiter", "utf16_decoded"]),
        ("cp1252", "cp1252", ["other_delimiter"]),
    ],
)
def test_encodings(tmp_path: Path, written_in: str, setting: str, expected: list[str]) -> None:
    text = "STUDENT_ID\tFIRST_NAME\n1\tJosé, Ana\n"
    conversion, written = convert_bytes(tmp_path, text.encode(written_in), setting)
    assert written == 'STUDENT_ID,FIRST_NAME\n1,"José, Ana"\n'.encode()
    assert codes(conversion) == expected


def test_the_warning_names_the_delimiter(tmp_path: Path) -> None:
    conversion, _ = convert_bytes(tmp_path, b"STUDENT_ID\tGRADE\n1\t4\n")
    assert conversion.problems[0].message == (
        "The cells are not separated by commas, and the file was read anyway. "
        "They are separated by tabs; no action needed"
    )


def test_bytes_that_are_not_utf8_stay_in_their_row(tmp_path: Path) -> None:
    _, written = convert_bytes(tmp_path, b"STUDENT_ID;FIRST_NAME\n1;Jos\xe9, A\n2;Ben\n")
    assert written == b'STUDENT_ID,FIRST_NAME\n1,"Jos\xe9, A"\n2,Ben\n'


def test_a_quote_that_is_never_closed_is_reported_at_its_line(tmp_path: Path) -> None:
    rows = b"3;x\n" * 100_000
    _, written = convert_bytes(tmp_path, b'STUDENT_ID;FIRST_NAME\n1;Ana\n2;"Ben\n' + rows)
    assert written is not None
    assert len(written) == 22 + 6 + 7 + len(rows)
    refusal = scan_bytes(tmp_path, written).refusal
    assert refusal is not None
    assert (refusal.code, refusal.line) == ("unclosed_quote", 3)


def test_a_file_that_is_too_large_is_not_converted(tmp_path: Path) -> None:
    file = tmp_path / "students.csv"
    file.write_text("STUDENT_ID;GRADE\n1;4\n")
    result = convert(file, encoding="utf-8", limits=Limits(bytes=5), write=print)
    assert result == Conversion()


cells = st.text(
    st.sampled_from("aé,;\t|\"\n\r '") | st.characters(codec="utf-8", exclude_characters="\0\x1a"),
    max_size=8,
)


@given(
    rows=st.lists(st.lists(cells, min_size=4, max_size=4), max_size=8),
    delimiter=st.sampled_from(DELIMITERS),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_rows_are_read_as_if_they_were_separated_by_commas(
    tmp_path: Path, rows: list[list[str]], delimiter: str, quoting: Literal[0, 1]
) -> None:
    def written(separator: str) -> bytes:
        file = io.StringIO()
        writer = csv.writer(file, delimiter=separator, quoting=quoting, lineterminator="\r\n")
        writer.writerows([HEADER, *rows])
        return file.getvalue().encode()

    _, converted = convert_bytes(tmp_path, written(delimiter))
    assert converted is not None
    assert rows_of(tmp_path, converted) == rows_of(tmp_path, written(","))


@given(data=st.binary(max_size=200).map(lambda data: data.replace(b",", b";") + b";"))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_bytes_have_the_same_lines(tmp_path: Path, data: bytes) -> None:
    rows = b"1;4\n" * 1200  # enough that the file is not taken for another type
    _, converted = convert_bytes(tmp_path, b"STUDENT_ID;GRADE\n" + rows + data)
    assert converted is not None
    assert converted.count(b"\n") == data.count(b"\n") + 1201
    assert (
        converted.replace(b",", b";")
        .replace(b'"', b"")
        .endswith(data.removesuffix(b"\x1a").replace(b'"', b""))
    )


def test_a_file_that_is_cut_off_within_a_character_is_left_to_the_scan(tmp_path: Path) -> None:
    conversion, _ = convert_bytes(tmp_path, "STUDENT_ID;LAST_NAME\n1;Zoë, A".encode()[:-4])
    assert conversion == Conversion()


def test_two_byte_order_marks_are_a_warning_as_in_other_files(tmp_path: Path) -> None:
    data = b"\xef\xbb\xbf" * 2 + b"STUDENT_ID;GRADE\n1;4\n"
    conversion, written = convert_bytes(tmp_path, data)
    assert written == b"STUDENT_ID,GRADE\n1,4\n"
    assert codes(conversion) == ["other_delimiter", "double_bom"]


def test_invalid_bytes_in_another_encoding_are_left_to_the_scan(tmp_path: Path) -> None:
    for data in (b"STUDENT_ID;FIRST_NAME\n1;\x81\n", b"STUDENT_ID;FIRST_NAME\n" * 9000 + b"\x81"):
        assert convert_bytes(tmp_path, data, "cp1252") == (Conversion(), None)
