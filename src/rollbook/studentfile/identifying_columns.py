"""The columns that can identify the student of a row."""

from collections.abc import Iterable

IDENTIFYING_COLUMN_SETS: tuple[frozenset[str], ...] = (
    frozenset({"STUDENT_ID"}),
    frozenset({"FIRST_NAME", "LAST_NAME", "DOB"}),
    frozenset({"USERNAME"}),
)
"""Each of these sets of columns can identify the student of a row."""
IDENTIFYING_COLUMNS = frozenset().union(*IDENTIFYING_COLUMN_SETS)
"""The columns of all these sets."""


def can_identify(columns: Iterable[str]) -> bool:
    """Return whether columns with these names can identify a student."""
    present = frozenset(columns)
    return any(columns <= present for columns in IDENTIFYING_COLUMN_SETS)
