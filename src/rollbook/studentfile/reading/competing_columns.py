"""Compare two columns with aliases of the same name, of which only one can be read."""

from collections.abc import Iterator

from rollbook.studentfile.columns import Column
from rollbook.studentfile.problems.problem import Problem, printable_excerpt
from rollbook.studentfile.reading import record_splitter
from rollbook.studentfile.reading.encodings import utf8_chunks
from rollbook.studentfile.reading.header import Header
from rollbook.studentfile.reading.source import Source
from rollbook.studentfile.values.text_checks import ValueWithWarning, trim


def check_competing_columns(
    source: Source, encoding: str, header: Header, max_row_bytes: int
) -> Iterator[Problem]:
    """Yield a problem for each pair of competing columns in which a row has different values.

    Args:
        source: The file.
        encoding: Its encoding, as detect_encoding() returns it.
        header: Its header.
        max_row_bytes: The limit for one row.
    """
    for read, other in header.competing_columns:
        column = header.columns[read]
        if column is None:
            continue
        for line, cells in _rows(source, encoding, header, max_row_bytes):
            is_complete = len(cells) == len(header.names)
            if is_complete and _differ(column, cells[read], cells[other]):
                names = [printable_excerpt(header.names[index]) for index in (read, other)]
                yield _problem(column, line, *names)
                break


def _problem(column: Column, line: int, read: str, other: str) -> Problem:
    hint = (
        f"{read} and {other} both mean {column.name} and have different values in line {line:,}: "
        f"remove one of them, or rename the right one to {column.name}"
    )
    return Problem("competing_columns", line, column.name, f"{read} and {other}", hint)


def _rows(
    source: Source, encoding: str, header: Header, max_row_bytes: int
) -> Iterator[tuple[int, list[str]]]:
    """Yield line and cells of each record after the header; those with invalid quotes are not."""
    line, has_header = 1, False
    try:
        for batch in record_splitter.iter_records(utf8_chunks(source, encoding), max_row_bytes):
            for record in batch:
                cells = record_splitter.parse_record(record) or []
                if has_header:
                    yield line, cells
                has_header = has_header or tuple(cells) == header.names
                line += record_splitter.line_breaks(record)
    except record_splitter.RecordTooLongError:
        return


def _differ(column: Column, read: str, other: str) -> bool:
    """Return whether the cell that is not read has a value, and another one than the other."""
    if read == other or not trim(other):
        return False
    return not trim(read) or _value(column, read) != _value(column, other)


def _value(column: Column, text: str) -> str:
    """Return the canonical value, or the text if it's invalid."""
    result = column.rule(trim(text))
    if isinstance(result, ValueWithWarning):
        return result.value
    return result if isinstance(result, str) else text
