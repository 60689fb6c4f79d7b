"""Find the records of a lot that must be inspected one by one.

A lot is several records that are parsed together. Where all rows of a file have quotes, that takes
a tenth of the time that inspecting each of them would take.
"""

from collections.abc import Sequence
from itertools import repeat

from rollbook.studentfile.columns import fold_header
from rollbook.studentfile.reading import quotes
from rollbook.studentfile.reading.encodings import has_bom
from rollbook.studentfile.reading.record_splitter import are_lines
from rollbook.studentfile.reading.skipped_lines import BLANK_OR_DASHES


def odd_rows(
    records: Sequence[bytes], rows: Sequence[list[str]], folded_header: Sequence[str]
) -> list[int]:
    """Return the indexes of the rows with anything odd, in ascending order.

    Args:
        records: The records; those after the parsed ones make no difference.
        rows: The cells of each parsed record.
        folded_header: The column names, as fold_header() returns them.
    """
    if not _have_any_odd(records[: len(rows)], rows, folded_header):
        return []
    return [
        index
        for index, cells in enumerate(rows)
        if _have_any_odd(records[index : index + 1], [cells], folded_header)
    ]


def _have_any_odd(
    records: Sequence[bytes], rows: Sequence[list[str]], folded_header: Sequence[str]
) -> bool:
    """Return whether one of the records is more than a row that is read without any problem.

    Such a row is one line with as many cells as the header. It is neither blank, nor of dashes, nor
    another header, and its quotes cause no warning.
    """
    block = b"".join(records)
    return (
        set(map(len, rows)) != {len(folded_header)}
        or not are_lines(records)
        or has_bom(block)
        or not all(map(bytes.strip, records, repeat(BLANK_OR_DASHES)))
        or _may_have_header(rows, folded_header[0])
        or (any('"' in text for text in map("".join, rows)) and quotes.may_warn(block))
    )


def _may_have_header(rows: Sequence[list[str]], first_name: str) -> bool:
    """Return whether one of the rows begins with the first column name of the header."""
    first_cells = [cells[0] for cells in rows]
    text = "".join(first_cells)
    if text.isascii() and first_name[:1] not in text.upper():
        return False
    return first_name in map(fold_header, first_cells)
