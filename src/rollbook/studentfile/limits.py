"""The maximum size of a student file and its parts."""

from dataclasses import dataclass

MAX_ROW_BYTES = 128 * 1024
"""Upper bound of Limits.row_bytes: the csv module accepts no larger cell."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Maximum sizes.

    Attributes:
        rows: Rows without the header.
        bytes: Size of the file as it was sent.
        columns: Columns of the header.
        row_bytes: Size of a row in UTF-8.
        cell_characters: Length of a cell.
    """

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
