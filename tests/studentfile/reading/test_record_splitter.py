"""Cutting bytes into records: exactly where csv.reader cuts them, in linear time and flat memory."""

import csv
import re
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbook.studentfile.reading.record_splitter import (
    RecordTooLongError,
    iter_records,
    line_of_unclosed_quote,
    split_records,
)

LETTERS = [
    b'"',
    b'""',
    b",",
    b"\n",
    b"\r",
    b"\r\n",
    b"a",
    b" ",
    b"\x1a",
    b"\xc3\xa9",
    b"\x85",
    b"\x0b",
    b"\x00",
    b"'",
]
text = st.lists(st.sampled_from(LETTERS), max_size=40).map(b"".join) | st.binary(max_size=60)
unlimited = 1 << 20


def as_csv_reads_it(data: bytes, *, strict: bool) -> Iterator[list[str]]:
    """What the csv module makes of the text; Latin-1 keeps bytes and letters one to one."""
    lines = re.findall(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+", data.decode("latin-1"))
    return csv.reader(lines, strict=strict)


def cells(record: bytes, *, strict: bool) -> list[str]:
    return next(csv.reader([record.decode("latin-1")], strict=strict))


@given(text)
def test_records_are_the_rows_of_the_csv_module(data: bytes) -> None:
    found, rest = split_records(data, final=True)
    rows = list(as_csv_reads_it(data, strict=False))
    assert b"".join(found) + rest == data
    assert [cells(record, strict=False) for record in [*found, *([rest] if rest else [])]] == rows


@given(text)
def test_what_strict_reading_refuses_is_refused_in_one_record_or_left_as_the_rest(
    data: bytes,
) -> None:
    found, rest = split_records(data, final=True)
    accepted: list[list[str]] = []
    try:
        for row in as_csv_reads_it(data, strict=True):
            accepted.append(row)
        whole = True
    except csv.Error:
        whole = False
    ours: list[list[str]] = []
    try:
        for record in found:
            ours.append(cells(record, strict=True))
    except csv.Error:
        assert not whole
    else:
        assert whole == (not rest)
    assert ours == accepted


@given(text, st.integers(1, 7))
def test_the_size_of_the_chunks_makes_no_difference(data: bytes, size: int) -> None:
    def all_records(chunks: list[bytes]) -> tuple[list[bytes], bytes]:
        found: list[bytes] = []
        try:
            for some in iter_records(chunks, unlimited):
                found += some
        except RecordTooLongError as error:
            return found, error.record
        return found, b""

    assert all_records([data]) == all_records(
        [data[at : at + size] for at in range(0, len(data), size)]
    )


def test_a_carriage_return_at_the_end_of_a_chunk_waits_for_its_line_feed() -> None:
    assert list(iter_records([b"a\r", b"\nb\r\n"], unlimited)) == [[], [b"a\r\n", b"b\r\n"], []]
    assert [r for some in iter_records([b'"a"\r', b'\n"b"\r', b"c"], unlimited) for r in some] == [
        b'"a"\r\n',
        b'"b"\r',
        b"c",
    ]


def test_a_ctrl_z_is_left_out_only_as_the_very_last_byte() -> None:
    assert [r for some in iter_records([b"a\nb\n\x1a"], unlimited) for r in some] == [
        b"a\n",
        b"b\n",
    ]
    assert [r for some in iter_records([b"a\x1a\nb"], unlimited) for r in some] == [
        b"a\x1a\n",
        b"b",
    ]


@pytest.mark.parametrize("chunk", [b'"' + b"x" * 999, b"x" * 1000, b'"x",' * 250, b'"\n",' * 250])
def test_an_endless_record_stops_the_reading_before_it_fills_the_memory(chunk: bytes) -> None:
    seen = 0

    def chunks() -> Iterator[bytes]:
        nonlocal seen
        for _ in range(100):
            seen += 1
            yield chunk

    with pytest.raises(RecordTooLongError):
        list(iter_records(chunks(), 16_384))
    assert seen < 20


def test_a_record_over_the_limit_is_endless_even_if_its_end_is_in_sight() -> None:
    reading = iter_records([b"short\n" + b"x" * 50 + b"\nafter\n"], 40)
    assert next(reading) == [b"short\n"]
    with pytest.raises(RecordTooLongError) as error:
        next(reading)
    assert error.value.record == b"x" * 50 + b"\n"


@pytest.mark.parametrize(
    "block",
    [
        b'"' * 400_001,
        b'"",' * 130_000,
        b'a"' * 200_000,
        b'","' * 130_000,
        b'"\n' * 200_000,
        b'""a"' * 100_000,
    ],
    ids=["quotes", "empty cells", "quotes inside", "commas inside", "lines", "text behind quotes"],
)
def test_time_grows_with_the_length_and_with_nothing_else(block: bytes) -> None:
    began = time.process_time()
    split_records(block, final=False)
    split_records(block, final=True)
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    ("record", "line"),
    [
        (b'a,"b', 0),
        (b'a,"b\nc",d\n', 0),
        (b'"a\nb","c', 0),
        (b"a,b\n", None),
        (b'"a",b"\n', None),
        (b'"a"",b\n', 0),
    ],
)
def test_the_broken_cell_is_the_first_that_goes_on_over_its_lines_end(
    record: bytes, line: int | None
) -> None:
    assert line_of_unclosed_quote(record) == line
