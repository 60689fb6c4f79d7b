"""How large a student file may be: the limits that surveying, reading and checking hold every file to."""

from dataclasses import dataclass

MAX_ROW_BYTES = 128 * 1024
"""Bytes of a row that no setting can exceed: the csv module takes no larger cell."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Rows without the header; bytes of the file as sent; bytes of a row in UTF-8; characters of a cell."""

    rows: int = 2_000_000
    bytes: int = 1 << 30
    columns: int = 64
    row_bytes: int = 16 * 1024
    cell_characters: int = 512

    def __post_init__(self) -> None:
        if not 0 < self.row_bytes <= MAX_ROW_BYTES:
            raise ValueError(
                f"a row may have at most {MAX_ROW_BYTES:,} bytes, not {self.row_bytes:,}"
            )
