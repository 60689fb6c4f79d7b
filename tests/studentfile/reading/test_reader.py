"""The rows of a file: line numbers, resuming, and damaged files."""

import tracemalloc
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbook.studentfile.problems.problem import Severity
from rollbook.studentfile.reading.reader import (
    FilePosition,
    Header,
    Limits,
    RawRow,
    normalize_encoding_name,
    read_records,
    scan,
)
from rollbook.studentfile.row_validator import RowValidator

TODAY = date(2026, 9, 1)
GOOD = (
    b"STUDENT_ID,FIRST_NAME,LAST_NAME,DOB,GRADE\r\n"
    b'00123,Ana,"Brook, Jr.",05/13/2014,4\r\n'
    b"00124,Zo\xc3\xab,O'Brien,11/02/2013,5\r\n"
    b"\r\n"
    b'00125,"De ""La""",Cruz,1/9/2012,6\r\n'
    b"00126,Di,Ender,2011-03-04,7"
)


def batches(
    file: Path, encoding: str = "utf-8", start: FilePosition | None = None, size: int = 5000
) -> Iterator[tuple[list[RawRow], FilePosition]]:
    """Yield the rows of each batch, if it has any, and where the batch ends."""
    result = scan(file, encoding=encoding)
    header = result.header
    assert header
    for batch in read_records(
        file, encoding=result.encoding, header=header, start=start, size=size
    ):
        if found := batch.rows(header):
            yield found, batch.end


def rows(row_batches: Iterable[tuple[list[RawRow], FilePosition]]) -> list[RawRow]:
    return [row for found, _ in row_batches for row in found]


@pytest.fixture
def good(tmp_path: Path) -> Path:
    file = tmp_path / "students.csv"
    file.write_bytes(GOOD)
    return file


def test_rows_have_the_line_numbers_of_the_file(good: Path) -> None:
    assert [row.line for row in rows(batches(good))] == [2, 3, 5, 6]
    assert rows(batches(good))[2].cells == ["00125", 'De "La"', "Cruz", "1/9/2012", "6"]


def test_line_breaks_inside_cells_count_as_lines(tmp_path: Path) -> None:
    file = tmp_path / "students.csv"
    file.write_bytes(b'\n\nSTUDENT_ID,FIRST_NAME\n1,"A\r\nn\ra"\n\n2,Ben\n')
    assert [row.line for row in rows(batches(file))] == [4, 8]


@pytest.mark.parametrize(
    ("codec", "setting"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("utf-16", "utf-8"), ("cp1252", "cp1252")],
)
@pytest.mark.parametrize("size", [1, 2, 3])
def test_reading_can_resume_where_a_batch_ended(
    tmp_path: Path, codec: str, setting: str, size: int
) -> None:
    file = tmp_path / "students.csv"
    file.write_bytes(GOOD.decode().encode(codec))
    whole = rows(batches(file, setting))
    for found, end in batches(file, setting, size=size):
        rest = rows(batches(file, setting, start=end))
        assert rest == [row for row in whole if row.line > found[-1].line]


def test_only_the_selected_lines_are_read_again(good: Path) -> None:
    header = scan(good).header
    assert header
    (batch,) = read_records(good, encoding="utf-8", header=header)
    selected = batch.rows(header, {3, 6, 99})
    assert [row.line for row in selected] == [3, 6]


def test_the_header_of_another_file_is_an_error(good: Path) -> None:
    other, _ = Header.parse(["STUDENT_ID"])
    with pytest.raises(ValueError, match="header that was scanned"):
        list(read_records(good, encoding="utf-8", header=other))


@pytest.mark.statement("S31")
def test_the_formula_guard_of_exports_is_removed_once_but_not_from_passwords(
    tmp_path: Path,
) -> None:
    file = tmp_path / "students.csv"
    file.write_text("STUDENT_ID,A,B,C,D,Password\n1,'=x,'00123,''x,O'Neil,'-typed\n")
    assert rows(batches(file))[0].cells == ["1", "=x", "'00123", "'x", "O'Neil", "'-typed"]


@pytest.mark.parametrize(
    "name", ["utf8", "CP1252", "latin-1", "mac-roman", "iso-8859-15", "shift_jis", " utf-8-sig "]
)
def test_encodings_that_contain_ascii_are_accepted(name: str) -> None:
    assert GOOD.decode("ascii", "ignore").encode(normalize_encoding_name(name)).isascii()


@pytest.mark.parametrize(
    "name",
    [
        "",
        "utf-16",
        "utf-7",
        "rot13",
        "unicode_escape",
        "punycode",
        "iso2022_jp",
        "cp037",
        "x\0",
        "hex",
        "idna",
        "../utf8",
    ],
)
def test_every_other_encoding_is_refused_with_a_readable_message(name: str) -> None:
    with pytest.raises(ValueError, match="is not an encoding for student files"):
        normalize_encoding_name(name)


def test_the_row_limit_cannot_exceed_that_of_the_csv_module() -> None:
    with pytest.raises(ValueError, match="at most 131,072"):
        Limits(row_bytes=200_000)


@pytest.mark.statement("S32")
@given(st.data())
def test_a_damaged_file_never_raises_and_every_row_is_accepted_or_rejected(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    file = tmp_path_factory.mktemp("in") / "students.csv"
    file.write_bytes(_damaged(data))
    result = scan(file)
    if result.refusal or not result.header:
        assert result.refusal
        return
    validator = RowValidator(result.header, TODAY)
    raw = rows(batches(file, size=2))
    validated = [validator.validate(row) for row in raw]
    assert len(validated) == result.rows
    for row in validated:
        assert row.rejected == any(problem.severity is Severity.ERROR for problem in row.problems)
        assert all(problem.message and problem.line == row.line for problem in row.problems)


def _damaged(data: st.DataObject) -> bytes:
    content = GOOD
    for _ in range(data.draw(st.integers(1, 3))):
        position = data.draw(st.integers(0, len(content)))
        damage = data.draw(
            st.sampled_from(["insert", "truncate", "delete", "repeat", "replace delimiters"])
        )
        before, after = content[:position], content[position:]
        if damage == "insert":
            bytes_or_syntax = st.binary(max_size=3) | st.sampled_from([b'"', b",", b"\r", b"\n"])
            content = before + data.draw(bytes_or_syntax) + after
        elif damage == "truncate":
            content = before
        elif damage == "delete":
            content = before + after[data.draw(st.integers(1, 5)) :]
        elif damage == "repeat":
            content = before + content
        else:
            content = content.replace(b",", data.draw(st.sampled_from([b";", b"\t"])), position)
    return content


@pytest.mark.statement("S29")
@pytest.mark.parametrize(
    "row", [b'"' + b"x" * 16_000 + b'"\n', b"1,x\n", b"1" + b"," * 16_000 + b"\n", b"\n"]
)
def test_memory_is_bounded_whatever_the_file_contains(tmp_path: Path, row: bytes) -> None:
    file = tmp_path / "students.csv"
    file.write_bytes(b"STUDENT_ID,GRADE\n" + row * (400_000 // len(row)))
    tracemalloc.start()
    result = scan(file)
    if result.header and not result.refusal:
        for batch in read_records(file, encoding="utf-8", header=result.header, size=1000):
            batch.rows(result.header)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8_000_000


@pytest.mark.parametrize("surplus", ["", ",\u00a0", ", ", ",-", ",x"])
@pytest.mark.parametrize("damaged", [b"", b"1,A\xff,,,\n"])
def test_as_many_rows_are_read_as_the_scan_has_counted(
    tmp_path: Path, surplus: str, damaged: bytes
) -> None:
    file = tmp_path / "students.csv"
    row = f",,,,{surplus}\n".encode()
    file.write_bytes(b"STUDENT_ID,FIRST_NAME,LAST_NAME,DOB,GRADE\n" + damaged + row + GOOD[43:])
    assert len(rows(batches(file))) == scan(file).rows
