"""A whole file: what refuses it, what is merely odd, and what it says about both."""

from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbook.studentfile.reading import scan as reading_scan
from rollbook.studentfile.reading.reader import FileScan, Limits, read_batches, scan
from rollbook.studentfile.row_validator import RowValidator
from tests.data.rosters import VENDOR_SAMPLE

HEADER = b"STUDENT_ID,FIRST_NAME,LAST_NAME\n"
ROWS = [
    *[b"1,A,B\n"] * 8,
    *(HEADER, HEADER[:-1], b"\xef\xbb\xbf" + HEADER, b"\xef\xbb\xbf1,A,B\n"),
    *(
        b"\n",
        b"\r\n",
        b",,\n",
        b" ,\t,\n",
        b"1,A\n",
        b"1,A,B,C\n",
        b"1,A,B\r\n",
        b"1,A,B\r",
        b"1,A,B",
    ),
    *(
        b'"1","A","B"\n',
        b'"1","A,B"\n',
        b'1,A"B"\n',
        b'1,A, "B"\n',
        b'"1\n2",A,B\n',
        b'"1",A"x,B\n',
    ),
]


def of(tmp_path: Path, content: bytes, limits: Limits | None = None) -> FileScan:
    file = tmp_path / "students.csv"
    file.write_bytes(content)
    return scan(file, limits=limits)


def codes(seen: FileScan) -> list[str]:
    return [problem.code for problem in seen.problems]


def test_every_problem_of_the_file_is_told_and_the_weightiest_names_the_refusal(
    tmp_path: Path,
) -> None:
    seen = of(tmp_path, b'STUDENT_ID,STUDENT_ID,COLOR\n1,\xe9,x\n2,\x00,\n3,a\n4,"a"b,c\n')
    assert seen.refusal
    assert seen.refusal.code == "nul_bytes"
    assert sorted(codes(seen)) == [
        "bad_quote",
        "duplicate_column",
        "not_utf8",
        "nul_bytes",
        "structure",
        "unknown_column",
    ]


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("José".encode("cp1252"), "line 3, byte 44 of the file looks like Windows-1252"),
        ("José".encode("mac-roman"), "line 3, byte 44 of the file looks like Mac Roman"),
        ("花子".encode("shift_jis"), "line 3, byte 41 of the file is the first bad one"),
    ],
)
def test_a_file_that_is_not_utf8_is_told_where_and_what_it_may_be(
    tmp_path: Path, name: bytes, place: str
) -> None:
    seen = of(tmp_path, HEADER + b"1,A,B\n2," + name + b",B\n")
    assert seen.refusal
    assert seen.refusal.code == "not_utf8"
    assert seen.refusal.hint == f"{place}; save it as CSV UTF-8"
    assert seen.refusal.line == 3


@pytest.mark.parametrize("bad", [b"\xe9", b"\0"])
@pytest.mark.parametrize("before", [b"", b"4,", b"4,x\r", b"4,x\r\n", b"4," + b"x" * 1400 + b"\r"])
def test_a_bad_byte_is_told_by_its_line_however_the_lines_end(
    tmp_path: Path, before: bytes, bad: bytes
) -> None:
    text = HEADER + (b"1,Ann,Lee\r" + b"2,Bob,Kim\r\n" + b"3,Cleo,Diaz\n") * 5000 + before
    refusal = of(tmp_path, text + bad + b"\n").refusal
    assert refusal
    assert refusal.line == len(text.splitlines()) + (not before.endswith(b","))


@pytest.mark.parametrize(
    ("limits", "code", "words"),
    [
        (Limits(rows=2), "too_many_rows", "at most 2 rows are allowed"),
        (
            Limits(columns=2),
            "too_many_columns",
            "it has 3 columns and at most 2 are allowed: leave out those that",
        ),
        (
            Limits(columns=2, row_bytes=20),
            "too_many_columns",
            "at most 2 columns are allowed: leave out those that",
        ),
        (Limits(bytes=50), "too_large", "at most 50 bytes are allowed"),
        (Limits(row_bytes=33), None, ""),
        (Limits(row_bytes=12), "row_too_long", "at most 12 bytes a row are allowed"),
    ],
)
def test_every_limit_is_named(tmp_path: Path, limits: Limits, code: str | None, words: str) -> None:
    refusal = of(tmp_path, HEADER + b"1,Anastasia,Brook\n" * 3, limits).refusal
    assert (refusal.code if refusal else None) == code
    assert words in (refusal.message if refusal else "")


def test_a_file_of_nothing_but_line_breaks_is_not_read_to_its_end(tmp_path: Path) -> None:
    refusal = of(tmp_path, HEADER + b"\n" * 3_000_000 + b"1,A,B\n", Limits(rows=10)).refusal
    assert refusal
    assert refusal.code == "too_many_rows"


def test_of_students_without_a_header_nothing_is_quoted(tmp_path: Path) -> None:
    seen = of(tmp_path, b"00123,Ana,canary-1,MI\n00124,Ben,canary-2,MI\n")
    assert (codes(seen), seen.header) == (["header_not_found"], None)
    assert "canary" not in repr(seen.problems)


def test_the_header_is_looked_for_below_a_title(tmp_path: Path) -> None:
    refusal = of(tmp_path, b"Our students\n\n" + HEADER + b"1,A,B\n").refusal
    assert refusal
    assert refusal.hint == "line 3 looks like the header: remove the lines above it"


def test_a_quote_that_swallows_rows_is_told_by_the_line_it_stands_in(tmp_path: Path) -> None:
    for rows in (3, 3000):
        refusal = of(tmp_path, HEADER + b"1,A,B\n" + b'2,A,"B\n' + b"3,A,B\n" * rows).refusal
        assert refusal
        assert (refusal.code, refusal.line) == ("unclosed_quote", 3)


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (b'"1","A","B"', None),
        (b'"1","A, Jr.",""', None),
        (b'"1","","",""', "structure"),
        (b'"1","A"', "structure"),
        (b'"1","A"x,"B"', "bad_quote"),
        (b'"1","A","B" ', "bad_quote"),
        (b'"1","A","B', "unclosed_quote"),
        (b'"1",,"A","B"', "structure"),
    ],
)
def test_rows_that_are_quoted_throughout_are_looked_at_as_well(
    tmp_path: Path, row: bytes, code: str | None
) -> None:
    refusal = of(tmp_path, HEADER + row + b"\n").refusal
    assert (refusal.code if refusal else None) == code


def test_the_rows_are_counted_without_blank_ones(tmp_path: Path) -> None:
    seen = of(tmp_path, b"\n" + HEADER + b"\n1,A,B\n,,\n \t,,\n2,A,B\n\x1a")
    assert seen.rows == 2
    assert codes(seen) == ["comma_lines"]


@given(st.lists(st.sampled_from(ROWS), max_size=200), st.integers(1, 5))
def test_rows_that_are_looked_at_together_are_as_if_each_were_looked_at_alone(
    rows: list[bytes], at_once: int
) -> None:
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patched:
        patched.setattr(reading_scan, "_RECORDS_PER_BLOCK", at_once)
        together = of(Path(folder), HEADER + b"".join(rows))
        patched.setattr(reading_scan._Scanner, "_are_plain", lambda reading, some: False)
        assert of(Path(folder), HEADER + b"".join(rows)) == together


def test_a_sample_of_another_product_is_accepted_after_the_renames_that_its_refusal_lists(
    tmp_path: Path,
) -> None:
    refusal = scan(VENDOR_SAMPLE).refusal
    assert refusal
    assert refusal.code == "key_column_renamed"
    assert "SIS ID to STUDENT_ID and School SIS ID to SCHOOL_ID" in refusal.message
    header, *lines = VENDOR_SAMPLE.read_text(encoding="utf-8").splitlines()
    renamed = (
        header.replace("School SIS ID", "SCHOOL_ID").replace("SIS ID", "STUDENT_ID")
        + ",GENDER,ELL,SPECIAL_ED"
    )
    file = tmp_path / "students.csv"
    file.write_text("\n".join([renamed, *[line + ",f,n,n" for line in lines]]), encoding="utf-8")
    seen = scan(file)
    assert seen.header
    assert seen.refusal is None
    assert seen.rows == 86
    checker = RowValidator(seen.header, date(2026, 9, 1))
    batches = read_batches(file, encoding="utf-8", header=seen.header)
    assert sum(not checker.validate(row).rejected for batch in batches for row in batch.rows) == 86
