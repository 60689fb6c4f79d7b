"""Remove the rows and problems of an update, a batch at a time."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Model, QuerySet

from rollbook.db import bulk
from rollbook.updates.models import (
    AddedStudents,
    CheckedRange,
    MissingStudents,
    Problem,
    RowDependency,
    StagedRow,
    UpdateJob,
)

TABLES: tuple[tuple[type[Model], str], ...] = (
    (StagedRow, "line"),
    (Problem, "line"),
    (RowDependency, "blocked_by_line"),
    (CheckedRange, "end_line"),
    (AddedStudents, "number"),
    (MissingStudents, "update"),
)
"""Each table, and the column that follows the update in its index."""


def first_keys(rows: "QuerySet[Any]", update: UpdateJob, column: str, size: int) -> Sequence[int]:
    """Return the primary keys of the first rows of an update.

    Args:
        rows: Rows of one of the tables.
        update: The update.
        column: The column of the table.
        size: At most so many.
    """
    return list(rows.filter(update=update).order_by(column).values_list("pk", flat=True)[:size])


def delete(model: type[Model], keys: Sequence[int]) -> None:
    """Delete rows of a table, in the caller's transaction."""
    bulk.delete(model, str(model._meta.pk.column), keys)
