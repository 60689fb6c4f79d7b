"""Batches of records are checked in little memory."""

import tracemalloc

import pytest

from rollbook.districts.models import District
from rollbook.updates.checking import check_range
from rollbook.updates.checking.byte_ranges import ByteRange
from rollbook.updates.checking.check_range import CheckedBatch, RangeChecker, gather
from tests.updates.night import a_class, enroll, send

ROWS = 800


def test_the_rows_of_a_batch_are_in_memory_a_few_at_a_time(
    maple: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    enroll(maple, a_class(ROWS, GRADE="4"))
    update = send(maple, a_class(ROWS, GRADE="5"))
    checker = RangeChecker(update)
    (batch,) = gather(checker.read(ByteRange(None, None)))
    assert len(batch.unknown) == ROWS
    peaks = []
    for rows in (ROWS, ROWS, ROWS // 8):  # the first time, caches are filled
        monkeypatch.setattr(check_range, "MAX_ROWS", rows)
        peaks.append(peak_bytes(checker, batch))
    assert peaks[2] < peaks[1] / 2


def peak_bytes(checker: RangeChecker, batch: CheckedBatch) -> int:
    tracemalloc.start()
    try:
        assert len(checker.check_unknown(batch).staged) == ROWS
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
