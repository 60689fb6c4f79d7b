"""CSV going out is harmless in a spreadsheet and reads back as it was meant."""

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbook.studentfile.reading.reader import read_batches, scan
from rollbook.studentfile.writer import guard_formula, write

letters = st.sampled_from(list("=+-@'\",;& \t\r\nabé王1\u2028\ufeff")) | st.characters(
    codec="utf-8", exclude_characters="\x00"
)
cell = st.text(letters, max_size=8)


@pytest.mark.parametrize("cell", ["=1", "+1", "-1", "@x", "\tx", "\rx", "'x", "''"])
def test_a_cell_that_could_run_gets_an_apostrophe(cell: str) -> None:
    assert guard_formula(cell) == "'" + cell


@pytest.mark.parametrize("cell", ["", "Ana", "O'Brien", "1-2", " =1", "\n"])
def test_every_other_cell_stays_as_it_is(cell: str) -> None:
    assert guard_formula(cell) == cell


@given(st.lists(st.tuples(st.just("00123"), cell, cell), min_size=1, max_size=5))
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, str]]
) -> None:
    file = tmp_path_factory.mktemp("out") / "out.csv"
    assert _write(file, rows) == len(rows)
    seen = scan(file)
    assert seen.header
    read = [
        row.cells
        for batch in read_batches(file, encoding="utf-8", header=seen.header)
        for row in batch.rows
    ]
    assert read == [list(row) for row in rows]


def _write(file: Path, rows: list[tuple[str, str, str]]) -> int:
    with file.open("w", newline="", encoding="utf-8") as out:
        return write(out, ["STUDENT_ID", "FIRST_NAME", "_NOTE"], rows)


def test_every_cell_is_quoted_and_lines_end_in_crlf() -> None:
    out = io.StringIO()
    write(out, ["STUDENT_ID"], [["00123"], ['=a"b']])
    assert out.getvalue() == '"STUDENT_ID"\r\n"00123"\r\n"\'=a""b"\r\n'
