"""Lots so small that a file of some forty rows has many of them."""

import pytest

from rollbook.studentfile.reading import (
    date_order,
    encodings,
    equal_text,
    lots,
    row_scan,
    scan,
    skipped_lines,
)


def make_lots_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read and compare little at a time, make lots a few rows long, and always scan few rows."""
    monkeypatch.setattr(date_order, "FIRST_ROWS", 2)
    monkeypatch.setattr(skipped_lines, "MAX_TRAILING_LINES", 2)
    monkeypatch.setattr(encodings, "CHUNK", 64)
    monkeypatch.setattr(scan, "_ROWS_AT_END", 3)
    monkeypatch.setattr(row_scan, "_RECORDS_PER_LOT", 4)
    monkeypatch.setattr(lots, "MAX_BYTES", 150)
    monkeypatch.setattr(lots, "MAX_RECORDS", 4)
    monkeypatch.setattr(equal_text, "WINDOWS", (2, 12))
    monkeypatch.setattr(equal_text, "_BLOCK_BYTES", 200)
