"""Rows of an update's file as they were uploaded: a few of them, wherever they are."""

import pytest

from rollbook.districts.models import District
from rollbook.updates.exports.original_rows import OriginalRowsFile
from tests.updates.night import send

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("lines", [[2], [2, 3, 700, 2001], [2001], [1000, 1001], []])
def test_rows_are_read_from_the_checkpoints_before_them(
    maple: District, monkeypatch: pytest.MonkeyPatch, lines: list[int]
) -> None:
    monkeypatch.setattr("rollbook.studentfile.reading.scan.CHECKPOINT_INTERVAL_BYTES", 100)
    rows = "".join(f"n{line},{'x' * 200}\n" for line in range(2, 2002))
    update = send(maple, f"STUDENT_ID,ADDITIONAL_INFO_1\n{rows}")
    assert len(update.checkpoints) > 2
    original = OriginalRowsFile(update)
    found = original.rows_on(lines)
    assert [row.line for row in found] == lines
    assert [original.cells(row)[0] for row in found] == [f"n{line}" for line in lines]


def test_every_row_is_found_next_to_a_checkpoint(
    maple: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rollbook.studentfile.reading.scan.CHECKPOINT_INTERVAL_BYTES", 100)
    rows = "".join(f"n{line},{'x' * 200}\n" for line in range(2, 2002))
    update = send(maple, f"STUDENT_ID,ADDITIONAL_INFO_1\n{rows}")
    around = sorted({line + offset for _, line in update.checkpoints for offset in (-1, 0, 1)})
    lines = [line for line in around if 2 <= line <= 2001]
    assert [row.line for row in OriginalRowsFile(update).rows_on(lines)] == lines
