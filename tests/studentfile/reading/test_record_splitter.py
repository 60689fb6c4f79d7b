"""Splitting bytes into records: exactly where csv.reader does, in linear time, in little memory."""

import csv
import re
import time
from collections.abc import Iterator
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbook.studentfile.reading.record_splitter import (
    RecordTooLongError,
    hide_quoted_cells,
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
UNLIMITED = 1 << 20


def rows_of_csv_module(data: bytes, *, strict: bool) -> Iterator[list[str]]:
    """The rows of the csv module; in Latin-1 each byte is one character."""
    lines = re.findall(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+", data.decode("latin-1"))
    return csv.reader(lines, strict=strict)


def cells(record: bytes, *, strict: bool) -> list[str]:
    return next(csv.reader([record.decode("latin-1")], strict=strict))


@given(text)
def test_records_are_the_rows_of_the_csv_module(data: bytes) -> None:
    records, rest = split_records(data, final=True)
    rows = list(rows_of_csv_module(data, strict=False))
    assert b"".join(records) + rest == data
    if rest:
        records.append(rest)
    assert [cells(record, strict=False) for record in records] == rows


@given(text)
def test_text_that_strict_parsing_rejects_is_rejected_in_one_record_or_is_the_rest(
    data: bytes,
) -> None:
    records, rest = split_records(data, final=True)
    expected, is_valid = until_error(rows_of_csv_module(data, strict=True))
    rows, are_records_valid = until_error(cells(record, strict=True) for record in records)
    assert is_valid == (are_records_valid and not rest)
    assert rows == expected


def until_error(rows: Iterator[list[str]]) -> tuple[list[list[str]], bool]:
    """The rows before the first error, and whether there was none."""
    valid: list[list[str]] = []
    try:
        valid.extend(rows)
    except csv.Error:
        return valid, False
    return valid, True


@given(text, st.integers(1, 7))
def test_the_chunk_size_does_not_matter(data: bytes, size: int) -> None:
    def all_records(chunks: list[bytes]) -> tuple[list[bytes], bytes]:
        records: list[bytes] = []
        try:
            for batch in iter_records(chunks, UNLIMITED):
                records += batch
        except RecordTooLongError as error:
            return records, error.record
        return records, b""

    chunks = [data[first : first + size] for first in range(0, len(data), size)]
    assert all_records([data]) == all_records(chunks)


def test_a_carriage_return_at_the_end_of_a_chunk_is_joined_with_its_line_feed() -> None:
    assert list(iter_records([b"a\r", b"\nb\r\n"], UNLIMITED)) == [[], [b"a\r\n", b"b\r\n"], []]
    assert flat_records([b'"a"\r', b'\n"b"\r', b"c"]) == [b'"a"\r\n', b'"b"\r', b"c"]


def flat_records(chunks: list[bytes]) -> list[bytes]:
    return list(chain.from_iterable(iter_records(chunks, UNLIMITED)))


def test_a_ctrl_z_is_dropped_only_as_the_last_byte() -> None:
    assert flat_records([b"a\nb\n\x1a"]) == [b"a\n", b"b\n"]
    assert flat_records([b"a\x1a\nb"]) == [b"a\x1a\n", b"b"]


@pytest.mark.statement("S29")
@pytest.mark.parametrize("chunk", [b'"' + b"x" * 999, b"x" * 1000, b'"x",' * 250, b'"\n",' * 250])
def test_an_endless_record_stops_the_reader_before_it_fills_the_memory(chunk: bytes) -> None:
    chunks_read = 0

    def chunks() -> Iterator[bytes]:
        nonlocal chunks_read
        for _ in range(100):
            chunks_read += 1
            yield chunk

    with pytest.raises(RecordTooLongError):
        list(iter_records(chunks(), 16_384))
    assert chunks_read < 20


def test_a_record_over_the_limit_is_too_long_even_if_its_end_has_been_read() -> None:
    reading = iter_records([b"short\n" + b"x" * 50 + b"\nafter\n"], 40)
    assert next(reading) == [b"short\n"]
    with pytest.raises(RecordTooLongError) as error:
        next(reading)
    assert error.value.record == b"x" * 50 + b"\n"


@pytest.mark.statement("S32")
@pytest.mark.parametrize(
    "block",
    [
        b'"' * 400_001,
        b'"",' * 130_000,
        b'a"' * 200_000,
        b'","' * 130_000,
        b'"\n' * 200_000,
        b'""a"' * 100_000,
        b'"a","b"\n' * 50_000,
        b'"a","b"x\n' * 50_000,
        b'"a",5,' * 80_000 + b'"b"x',
    ],
    ids=[
        *("quotes", "empty cells", "quotes inside", "commas inside", "lines", "text after quotes"),
        *("quoted rows", "odd quoted rows", "one odd quote in a long line"),
    ],
)
def test_time_is_linear_in_the_length(block: bytes) -> None:
    started = time.process_time()
    split_records(block, final=False)
    split_records(block, final=True)
    assert time.process_time() - started < 2


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
def test_the_unclosed_cell_is_the_first_with_a_line_break(record: bytes, line: int | None) -> None:
    assert line_of_unclosed_quote(record) == line


PLAIN_ROWS = re.compile(rb'(?:"[^"\r\n]*"|[^",\r\n]*)(?:[,\r\n](?:"[^"\r\n]*"|[^",\r\n]*))*')


@given(st.lists(st.sampled_from([b'"', b'"abc"', b'","', b",", b"\n", b"\r", b"a"])).map(b"".join))
def test_quoted_cells_are_hidden_if_all_quotes_are_around_cells_of_one_line(block: bytes) -> None:
    hidden = hide_quoted_cells(block)
    assert bool(hidden) == bool(PLAIN_ROWS.fullmatch(block))
    if hidden:
        assert hidden.contents == re.findall(rb'"([^"]*)"', block)
        assert hidden.text == re.sub(rb'"[^"]*"', b'"', block)
