"""Give a row as many cells as the header has, where only empty ones differ."""

from rollbook.studentfile.columns import fold_header
from rollbook.studentfile.reading.header import Header


def fit_cells(cells: list[str], header: Header) -> list[str]:
    """Return the cells with as many as the header has, if only empty ones differ.

    Surplus empty cells at the end are removed. Missing ones are added if their columns have no
    name.
    """
    width = len(header.names)
    if len(cells) > width:
        return cells if "".join(cells[width:]).strip() else cells[:width]
    if any(map(fold_header, header.names[len(cells) :])):
        return cells
    return [*cells, *[""] * (width - len(cells))]
