"""Quoted records are parsed in lots, with the same result as if each was inspected alone."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbook.studentfile.reading import (
    encodings,
    quoted_lots,
    reader,
    record_splitter,
    row_parser,
    row_scan,
)
from rollbook.studentfile.reading import scan as reading_scan
from rollbook.studentfile.reading.reader import FileScan, Limits, RawRow, scan

HEADERS = [
    "STUDENT_ID,FIRST_NAME,LAST_NAME,DOB",
    '"STUDENT_ID","FIRST_NAME","LAST_NAME","DOB"',
    "DOB,FIRST_NAME,LAST_NAME,STUDENT_ID",
    "STUDENT_ID,FIRST_NAME,LAST_NAME,",
    ",FIRST_NAME,LAST_NAME,STUDENT_ID",
]
CELLS = [
    "1",
    "Bo",
    "Smith, Jr.",
    "",
    " ",
    "é",
    "1970-01-01",
    "13/02/2010",
    "02/13/2010",
    "-",
    "='1",
]
ODD_CELLS = ['Bo "B"', ' "x"', "a\nb", "a\r\nb", "5'4\"", "\ufeff", "\0", "student_id", '"', '""']
DAMAGE = [b'"', b'""', b",", b"\n", b"\r", b"\0", b"\xff", b"\xef\xbb\xbf", b" ", b'"\n"', b"\x1a"]


EVERY = frozenset(range(6))


def quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"'


def shown(cell: str, *, is_quoted: bool) -> str:
    return quoted(cell) if is_quoted or set(cell) & set(',"\r\n') else cell


def line(cells: Sequence[str], columns: frozenset[int]) -> str:
    """A row in which the cells of some columns are quoted, and those that have to be."""
    return ",".join(shown(cell, is_quoted=at in columns) for at, cell in enumerate(cells))


ordinary_cells = st.lists(st.sampled_from(CELLS), min_size=4, max_size=4)
quoted_columns = st.sampled_from([frozenset(), EVERY]) | st.frozensets(st.integers(0, 3))
quoting = st.just(quoted_columns) | quoted_columns.map(st.just)
"""Which columns are quoted: others in each row, or the same in all rows."""

odd_rows = st.one_of(
    st.builds(
        line,
        st.lists(st.sampled_from([*CELLS, *ODD_CELLS]), min_size=2, max_size=6),
        quoted_columns,
    ),
    st.sampled_from([*HEADERS, "", ",,,", "---,---,---,---", "1,5'4\",x,", '"1"x,,,', "(2 rows)"]),
)


@dataclass(frozen=True)
class File:
    """A file, and how it is read."""

    content: bytes
    encoding: str
    chunk: int
    limits: Limits


@st.composite
def files(draw: st.DrawFn) -> File:
    """A file in which most rows are as they should be; a few are odd or damaged."""
    ordinary_rows = st.builds(line, ordinary_cells, draw(quoting))
    rows = draw(st.lists(ordinary_rows, max_size=150))
    for row in draw(st.lists(odd_rows, max_size=4)):
        rows.insert(draw(st.integers(0, len(rows))), row)
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    text = end.join([draw(st.sampled_from(HEADERS)), *rows, ""])
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]))
    content = bytearray(text.encode(encoding, "replace"))
    for damage in draw(st.lists(st.sampled_from(DAMAGE), max_size=2)):
        at = draw(st.integers(0, len(content)))
        content[at : at + draw(st.integers(0, 2))] = damage
    limits = Limits(
        rows=draw(st.sampled_from([3, 1000, 1000])), row_bytes=draw(st.integers(60, 9000))
    )
    return File(bytes(content), encoding, draw(st.sampled_from([50, 1 << 17])), limits)


SURPLUS = ["", ",", ",,", ", ,", ",\t", ",\xa0", ",x"]


@st.composite
def files_with_surplus(draw: st.DrawFn) -> File:
    """A file without quotes, some or all of whose rows have something behind the last cell."""
    cells = st.sampled_from(["1", "Bo", "", " ", "13/02/2010"])
    row = st.lists(cells, min_size=4, max_size=4).map(",".join)
    surplus = st.sampled_from(SURPLUS[: draw(st.integers(2, len(SURPLUS)))])
    rows = draw(st.lists(st.builds(str.__add__, row, surplus), min_size=1))
    odd = draw(st.sampled_from([[], [HEADERS[0]] * 2, [""], ["---,-,,"], ["A,B"]]))
    text = "\n".join([HEADERS[0], "1,,,", *rows * 64, *odd, *rows, ""])
    return File(text.encode(), "utf-8", 1 << 17, Limits())


@contextmanager
def one_by_one() -> Iterator[None]:
    """Take no shortcut for a lot of records, and check the encoding before anything is read."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(reading_scan, "_scan_valid_utf8", lambda source, scan_text: None)
        patched.setattr(record_splitter, "_PLAIN_CELLS", re.compile(b"(?!)"))
        patched.setattr(record_splitter, "hide_quoted_cells", lambda block: None)
        patched.setattr(quoted_lots, "hide_quoted_cells", lambda block: None)
        patched.setattr(reader, "are_lines", lambda records: False)
        patched.setattr(row_parser, "_parse_intact", lambda records: None)
        patched.setattr(row_scan.RowScanner, "_are_regular", lambda *_: False)
        patched.setattr(quoted_lots, "odd_rows", lambda records, rows, header: range(len(rows)))
        yield


def read(path: Path, file: File) -> tuple[FileScan, list[RawRow], list[bytes], list[int]]:
    """The scan and the rows, records and lines of a file; no rows if it is refused."""
    encoding = "utf-8" if file.encoding.startswith("utf") else file.encoding
    result = scan(path, encoding=encoding, limits=file.limits)
    if result.refusal or result.header is None:
        return result, [], [], []
    encoding, header = result.encoding, result.header
    batches = list(reader.read_records(path, encoding=encoding, header=header))
    rows = [row for batch in batches for row in batch.rows(header)]
    records = [record for batch in batches for record in batch.records]
    return result, rows, records, [line for batch in batches for line in batch.lines]


@given(files() | files_with_surplus() | files_with_surplus())
def test_lots_give_the_same_result_as_one_record_after_the_other(file: File) -> None:
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patched:
        patched.setattr(encodings, "CHUNK", file.chunk)
        path = Path(folder) / "students.csv"
        path.write_bytes(file.content)
        in_lots = read(path, file)
        with one_by_one():
            assert read(path, file) == in_lots


LOTS = [
    [b'"%d","Smith, Jr.",B,\n' % number for number in range(64)],
    [b'%d,"Smith, Jr.",B,\n' % number for number in range(64)],
    [b'"%d","Smith, Jr.","B",""\n' % number for number in range(64)],
    [b'"%d","Robert ""Bo""",B,\n' % number for number in range(64)],
]


@pytest.mark.parametrize(
    "odd",
    [
        b'1,"A"x,B,\n',
        b'1,"A\nx",B,\n',
        b"1,5'4\",B,\n",
        b'1," ""A""",B,\n',
        b'"A","B"\n',
        b'"student_id","B",C,D\n',
        b'"","",,\n',
        b'"--","--","--","--"\n',
        b'"\xef\xbb\xbfstudent id","B",C,D\n',
        b'"A","B",,,\n',
    ],
)
@pytest.mark.parametrize("index", [0, 31, 62])
@pytest.mark.parametrize("lot", LOTS)
def test_only_the_odd_record_of_a_lot_is_inspected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, odd: bytes, index: int, lot: list[bytes]
) -> None:
    inspected = []
    inspect = row_scan.RowScanner._inspect_record

    def record_and_inspect(scanner: row_scan.RowScanner, record: bytes) -> None:
        inspected.append(record)
        inspect(scanner, record)

    monkeypatch.setattr(row_scan.RowScanner, "_inspect_record", record_and_inspect)
    lot = [*lot[:index], odd, *lot[index + 1 :]]
    path = tmp_path / "students.csv"
    path.write_bytes(b"STUDENT_ID,FIRST_NAME,LAST_NAME,DOB\n" + b"".join(lot))
    scan(path)
    assert inspected == [odd]


@pytest.mark.parametrize("lot", LOTS[:3])
def test_a_lot_without_quotes_in_cells_is_not_parsed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lot: list[bytes]
) -> None:
    monkeypatch.delattr(row_scan.RowScanner, "_parse")
    path = tmp_path / "students.csv"
    path.write_bytes(b"STUDENT_ID,FIRST_NAME,LAST_NAME,DOB\n" + b"".join(lot))
    assert scan(path).rows == 64


def test_a_lot_with_doubled_quotes_only_is_not_inspected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(row_scan.RowScanner, "_inspect_record")
    path = tmp_path / "students.csv"
    rows = [b'%d,"Robert ""Bo""","B","""x"""\n' % number for number in range(200)]
    path.write_bytes(b"STUDENT_ID,FIRST_NAME,LAST_NAME,DOB\n" + b"".join(rows))
    assert scan(path).rows == 200
