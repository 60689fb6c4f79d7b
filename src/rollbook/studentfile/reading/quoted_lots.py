"""Find the records of a lot that must be inspected one by one.

A lot is several records that are parsed together. Where all rows of a file have quotes, that takes
a tenth of the time that inspecting each of them would take.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat

from rollbook.studentfile.columns import fold_header
from rollbook.studentfile.reading import quotes
from rollbook.studentfile.reading.encodings import has_bom
from rollbook.studentfile.reading.record_splitter import are_lines, hide_quoted_cells
from rollbook.studentfile.reading.skipped_lines import BLANK_OR_DASHES


@dataclass(frozen=True, slots=True)
class PlainLot:
    """Records that are read without any problem, and that have no quotes in their cells.

    Attributes:
        lines: The records; each quoted cell is a single quote.
        contents: What is in the quoted cells.
        width: The number of cells in each record.
    """

    lines: Sequence[bytes]
    contents: Sequence[bytes]
    width: int

    def column(self, index: int) -> Sequence[bytes]:
        """Return the cells of a column, without quotes; the last one may include the line end."""
        if len(self.contents) == self.width * len(self.lines):
            return self.contents[index :: self.width]
        cells = cells_of_column(self.lines, index)
        return self._shown_column(index) if b'"' in b"".join(cells) else cells

    def _shown_column(self, index: int) -> list[bytes]:
        """Return the cells of a column of which some are quoted."""
        cells, passed = [], 0
        for line in self.lines:
            rest, quoted = line.split(b",", index)[index], line.count(b'"')
            if rest.startswith(b'"'):
                cells.append(self.contents[passed + quoted - rest.count(b'"')])
            else:
                cells.append(rest.partition(b",")[0])
            passed += quoted
        return cells


def cells_of_column(records: Sequence[bytes], index: int) -> list[bytes]:
    """Return a cell of each record, all of which have it; the last one includes the line end."""
    return [record.split(b",", index + 1)[index] for record in records]


def plain_lot(
    records: Sequence[bytes], block: bytes, folded_header: Sequence[str]
) -> PlainLot | None:
    """Return the records as a plain lot; None if they have to be parsed to see what they are.

    Args:
        records: The records.
        block: Their bytes.
        folded_header: The column names, as fold_header() returns them.
    """
    hidden = hide_quoted_cells(block)
    if hidden is None or not hidden.text.endswith((b"\n", b"\r")) or has_odd_bytes(records, block):
        return None
    lot = PlainLot(hidden.text.splitlines(keepends=True), hidden.contents, len(folded_header))
    if set(map(bytes.count, lot.lines, repeat(b","))) != {lot.width - 1}:
        return None
    texts = [cell.decode("utf-8", "replace") for cell in lot.column(0)]
    return None if _may_have_header(texts, folded_header[0]) else lot


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
        or has_odd_bytes(records, block)
        or _may_have_header([cells[0] for cells in rows], folded_header[0])
        or (any('"' in text for text in map("".join, rows)) and quotes.may_warn(block))
    )


def has_odd_bytes(records: Sequence[bytes], block: bytes) -> bool:
    """Return whether there is a byte order mark, or one of the records is blank or of dashes."""
    return has_bom(block) or not all(map(bytes.strip, records, repeat(BLANK_OR_DASHES)))


def _may_have_header(first_cells: Sequence[str], first_name: str) -> bool:
    """Return whether one of the first cells of rows is the first column name of the header."""
    text = "".join(first_cells)
    if text.isascii() and first_name[:1] not in text.upper():
        return False
    return first_name in map(fold_header, first_cells)
