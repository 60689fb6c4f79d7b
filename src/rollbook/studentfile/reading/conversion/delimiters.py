"""Convert text with other characters than commas between the cells, one record at a time.

The delimiter and the comma are exchanged in all bytes, and records are split as in any other file.
Then only cells that contain either of them are changed back. So a record that can't be parsed stays
one record on the same line, and is rejected when the file is read.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from rollbook.studentfile.limits import MAX_ROW_BYTES
from rollbook.studentfile.problems.problem import Problem
from rollbook.studentfile.reading import encodings, record_splitter
from rollbook.studentfile.reading.header import looks_like_header
from rollbook.studentfile.reading.source import Source

NAMES = {b";": "semicolons", b"\t": "tabs", b"|": "vertical bars"}
"""The delimiters that are recognized, as people call them."""

_BYTES_SEARCHED_FOR_HEADER = 1 << 15
_RECORDS_SEARCHED_FOR_HEADER = 20
_MIN_COLUMNS_BESIDE_COMMAS = 3
_MIN_COLUMNS_OF_EVEN_TABLE = 3
_MIN_ROWS_OF_EVEN_TABLE = 2
_SEPARATOR_LINE = re.compile(
    rb'"?sep=(?P<delimiter>[,;\t|])"?[ ,;\t|]*(?=[\r\n]|\Z)', re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Delimiter:
    """How the cells of a file are separated.

    Attributes:
        character: The character between the cells.
        separator_line: How many bytes of the text are a sep= line, without its line end.
    """

    character: bytes
    separator_line: int = 0

    @property
    def warnings(self) -> list[Problem]:
        """A warning that names the delimiter, unless it is a comma."""
        if self.character == b",":
            return []
        hint = f"they are separated by {NAMES[self.character]}; no action needed"
        return [Problem("other_delimiter", 1, hint=hint)]


def detect_delimiter(source: Source, encoding: str) -> Delimiter | None:
    """Return the delimiter of a file if it has to be converted; None if not, or if it is unclear.

    Raises:
        UnicodeDecodeError: The file contains bytes that are invalid in the encoding.
    """
    head = next(encodings.utf8_chunks(source, encoding), b"")[:_BYTES_SEARCHED_FOR_HEADER]
    separator_line = _SEPARATOR_LINE.match(head)
    if not separator_line and not any(character in head for character in NAMES):
        return None
    size = separator_line.end() if separator_line else 0
    counts = {character: _known_columns(head[size:], character) for character in (b",", *NAMES)}
    commas = counts.pop(b",")
    best = max(counts, key=lambda character: counts[character])
    is_clear = counts[best] > max(2 * commas, commas and _MIN_COLUMNS_BESIDE_COMMAS - 1)
    if is_clear and list(counts.values()).count(counts[best]) == 1:
        return Delimiter(best, size)
    if separator_line and not (commas and separator_line["delimiter"] != b","):
        return Delimiter(separator_line["delimiter"], size)
    if not separator_line and not any((commas, *counts.values())):
        # Names that a column mapping knows.
        even = [character for character in NAMES if _is_even_table(head, character)]
        if len(even) == 1:
            return Delimiter(even[0])
    return Delimiter(b",", size) if size else None


def converted_chunks(source: Source, encoding: str, delimiter: Delimiter) -> Iterator[bytes]:
    """Yield the text as CSV in UTF-8. A sep= line becomes a blank line.

    Raises:
        UnicodeDecodeError: The file contains bytes that are invalid in the encoding.
    """
    chunks = encodings.utf8_chunks(source, encoding)
    first = next(chunks, b"")[delimiter.separator_line :]
    if delimiter.character == b",":
        yield first
        yield from chunks
        return
    exchange = bytes.maketrans(delimiter.character + b",", b"," + delimiter.character)
    exchanged = (chunk.translate(exchange) for chunk in chain([first], chunks))
    try:
        for records in record_splitter.iter_records(exchanged, MAX_ROW_BYTES):
            yield _with_commas(records, delimiter.character, exchange)
    except record_splitter.RecordTooLongError as error:
        # The scan refuses the file at this line.
        yield error.record
        yield from exchanged


def _known_columns(head: bytes, character: bytes) -> int:
    """Return how many column names the header has if cells are separated by this character."""
    rows = _rows(head, character)[:_RECORDS_SEARCHED_FOR_HEADER]
    for names in rows or [_cells(head, character)]:
        if looks_like_header(names):
            return sum(looks_like_header([name]) for name in names)
    return 0


def _is_even_table(head: bytes, character: bytes) -> bool:
    """Return whether all rows have as many cells, separated by this character, as a header.

    The first row counts as a header if it has no comma and each of its cells is another word.
    """
    rows = _rows(head, character)
    if len(rows) < _MIN_ROWS_OF_EVEN_TABLE:
        return False
    header = rows[0]
    is_header = (
        len(header) >= _MIN_COLUMNS_OF_EVEN_TABLE
        and len(set(header)) == len(header)
        and all(map(_is_word, header))
    )
    return is_header and all(len(row) == len(header) for row in rows if row)


def _rows(head: bytes, character: bytes) -> list[Sequence[str]]:
    """Return the cells of each complete record if they are separated by this character."""
    exchange = bytes.maketrans(character + b",", b"," + character)
    records, _ = record_splitter.split_records(head.translate(exchange), final=False)
    return [_cells(record.translate(exchange), character) for record in records]


def _is_word(name: str) -> bool:
    return "," not in name and any(map(str.isalpha, name))


def _cells(record: bytes, character: bytes) -> Sequence[str]:
    try:
        text = record.decode("utf-8", "replace")
        return next(csv.reader([text], delimiter=character.decode(), strict=True), [])
    except csv.Error:
        return []


def _with_commas(records: Sequence[bytes], character: bytes, exchange: bytes) -> bytes:
    """Return records, in which comma and delimiter are exchanged, with their original cells."""
    block = b"".join(records)
    if b'"' not in block and character not in block:
        return block
    return b"".join(
        record if _is_simple(record, character) else _restore_cells(record, character, exchange)
        for record in records
    )


def _is_simple(record: bytes, character: bytes) -> bool:
    """Return whether no cell contains a comma or the delimiter."""
    if character in record:
        return False
    quotes, commas = record.count(b'"'), record.count(b",")
    return not quotes or (quotes == 2 * commas + 2 and record.count(b'","') == commas)


def _restore_cells(record: bytes, character: bytes, exchange: bytes) -> bytes:
    """Exchange comma and delimiter again inside the cells; quote cells that contain a comma."""
    cells, end = [], 0
    for position, cell in record_splitter.raw_cells(record):
        end = position + len(cell)
        if character in cell or b"," in cell:
            cells.append(_restore_cell(cell, exchange))
        else:
            cells.append(cell)
    return b",".join(cells) + record[end:]


def _restore_cell(cell: bytes, exchange: bytes) -> bytes:
    restored = cell.translate(exchange)
    if cell.startswith(b'"'):
        # After a closing quote, a comma would begin another cell.
        return restored if cell.endswith(b'"') else cell
    return b'"' + restored.replace(b'"', b'""') + b'"' if b"," in restored else restored
