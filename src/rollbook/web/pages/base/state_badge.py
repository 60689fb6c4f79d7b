"""Choose the word and sign that pages show for an update's state."""

from rollbook.updates.models import UpdateJob
from rollbook.updates.reporting.report import Report
from rollbook.updates.reporting.state_words import COMPLETED_WITH_ERRORS, StateWords, words_of

NOTHING_APPLIED = StateWords("nothing applied", "✕", "bad")
"""The badge of a completed update of which every row was rejected."""


def badge_words(update: UpdateJob | Report) -> StateWords:
    """Return the word, sign and tone of an update's state, as its badge shows them."""
    words = words_of(update)
    if words is COMPLETED_WITH_ERRORS and _rejected_rows(update) == update.rows:
        return NOTHING_APPLIED
    return words


def _rejected_rows(update: UpdateJob | Report) -> int:
    return update.rows_rejected if isinstance(update, UpdateJob) else update.rejected
