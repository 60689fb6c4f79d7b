"""CSV files for download are harmless in spreadsheets and can be read back unchanged."""

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbook.studentfile.reading.reader import read_records, scan
from rollbook.studentfile.writer import guard_formula, write

characters = st.sampled_from(list("=+-@＝＋－＠'\",;& \t\r\nabé王1\u2028\ufeff")) | st.characters(
    codec="utf-8", exclude_characters="\x00"
)
cell = st.text(characters, max_size=8)


@pytest.mark.statement("S31")
@pytest.mark.parametrize(
    "cell", ["=1", "+1", "-1", "@x", "＝1", "＋1", "－1", "＠x", "\tx", "\rx", "\nx", "'x", "''"]
)
def test_a_cell_that_looks_like_a_formula_gets_an_apostrophe(cell: str) -> None:
    assert guard_formula(cell) == "'" + cell


@pytest.mark.parametrize("cell", ["", "Ana", "O'Brien", "1-2", " =1", "＃x"])
def test_other_cells_are_unchanged(cell: str) -> None:
    assert guard_formula(cell) == cell


@pytest.mark.statement("S31")
@given(st.lists(st.tuples(st.just("00123"), cell, cell), min_size=1, max_size=5))
def test_written_rows_are_read_back_unchanged(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, str]]
) -> None:
    file = tmp_path_factory.mktemp("out") / "out.csv"
    assert _write(file, rows) == len(rows)
    header = scan(file).header
    assert header
    batches = list(read_records(file, encoding="utf-8", header=header))
    assert [row.cells for batch in batches for row in batch.rows(header)] == list(map(list, rows))


def _write(file: Path, rows: list[tuple[str, str, str]]) -> int:
    with file.open("w", newline="", encoding="utf-8") as out:
        return write(out, ["STUDENT_ID", "FIRST_NAME", "_NOTE"], rows)


@pytest.mark.statement("S31")
def test_every_cell_is_quoted_and_lines_end_in_crlf() -> None:
    out = io.StringIO()
    write(out, ["STUDENT_ID"], [["00123"], ['=a"b']])
    assert out.getvalue() == '"STUDENT_ID"\r\n"00123"\r\n"\'=a""b"\r\n'
