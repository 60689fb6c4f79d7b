"""Compare an update with the one before of the same feed, in one sentence."""

from collections.abc import Iterator
from dataclasses import dataclass

from rollbook.text import join_words
from rollbook.updates.models import UpdateJob
from rollbook.updates.reporting.report import previous_of_feed


@dataclass(frozen=True)
class Comparison:
    """How an update differs from the one before.

    Attributes:
        before: The update before.
        words: The differences: ``12 more rows, 3 fewer rejected``.
    """

    before: UpdateJob
    words: str


def comparison_of(update: UpdateJob) -> Comparison | None:
    """Return the comparison with the last completed update of the same feed; None without one."""
    before = previous_of_feed(update)
    if before is None:
        return None
    differences = list(_differences(update, before))
    return Comparison(before, join_words(differences) if differences else "the same counts")


def _differences(update: UpdateJob, before: UpdateJob) -> Iterator[str]:
    if rows := update.rows - before.rows:
        yield f"{_more(rows)} {'row' if abs(rows) == 1 else 'rows'}"
    for word, now, then in (
        ("changed", update.rows_updated, before.rows_updated),
        ("added", update.rows_added, before.rows_added),
        ("rejected", update.rows_rejected, before.rows_rejected),
        ("left out", update.rows_left_out, before.rows_left_out),
        ("deactivated", update.rows_deactivated, before.rows_deactivated),
    ):
        if now != then:
            yield f"{_more(now - then)} {word}"


def _more(difference: int) -> str:
    return f"{abs(difference):,} {'more' if difference > 0 else 'fewer'}"
