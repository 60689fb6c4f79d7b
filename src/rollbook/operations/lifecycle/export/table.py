"""A table of the export: its columns, and its rows as values of JSON."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

from rollbook.districts.models import District
from rollbook.studentfile import writer

Value: TypeAlias = "str | int | bool | Sequence[str] | dict[str, object] | None"
Row: TypeAlias = Sequence[Value]

ROWS_PER_QUERY = 2000


@dataclass(frozen=True)
class Table:
    """A table, which the archive contains as CSV and as JSON lines.

    Attributes:
        name: The name of its files.
        about: What it contains, as a sentence.
        columns: The name of each column, and what it contains.
        rows: Yields the rows of a district, with a bounded number in memory. It is called twice
            and must yield the same.
    """

    name: str
    about: str
    columns: tuple[tuple[str, str], ...]
    rows: Callable[[District], Iterator[Row]]

    @property
    def header(self) -> list[str]:
        """The names of the columns."""
        return [name for name, _ in self.columns]

    def csv_lines(self, district: District) -> Iterator[str]:
        """Yield the lines of the CSV file, in which no cell is a formula."""
        rows = ([_cell(value) for value in row] for row in self.rows(district))
        return writer.lines(self.header, rows)

    def json_lines(self, district: District) -> Iterator[str]:
        """Yield a line with a JSON object for each row."""
        header = self.header
        for row in self.rows(district):
            values = dict(zip(header, row, strict=True))
            yield json.dumps(values, ensure_ascii=False) + "\n"


def timestamp(at: datetime | None) -> str | None:
    """Return a time in ISO 8601."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds") if at else None


def _cell(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str | int):
        return str(value)
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False) if value else ""
    return "; ".join(value)
