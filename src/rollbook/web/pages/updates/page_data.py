"""Load the data of an update's page."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import QueryDict

from rollbook.districts.models import District
from rollbook.studentfile.problems.problem import Severity
from rollbook.students.writer import STUDENT_ADDED
from rollbook.updates.models import UpdateJob
from rollbook.updates.receiving.drafts import can_start_again
from rollbook.updates.reporting import progress, timeline
from rollbook.updates.reporting.field_counts import changes_by_field
from rollbook.updates.reporting.report import Report, report
from rollbook.updates.reporting.state_words import badge_words, result_sentence
from rollbook.updates.reporting.status_json import status_context
from rollbook.updates.reporting.status_line import approximate
from rollbook.updates.state_machine import UNFINISHED, State
from rollbook.updates.undoing.start import find_obstacle
from rollbook.web.pages.base.column_labels import label
from rollbook.web.pages.updates.comparison import comparison_of
from rollbook.web.pages.updates.progress_sentences import progress_sentence
from rollbook.web.pages.updates.tabs import row_table

_NOT_PLAIN = frozenset({"being_undone", "expired"})
"""Why an update can't be undone, if its page doesn't say so anyway."""


@dataclass(frozen=True)
class Progress:
    """How far an unfinished update is.

    Attributes:
        sentence: what it is doing.
        done: rows done in this phase.
        total: rows to do in this phase.
        rate: rows per second; None if unknown or not progressing.
        left: the estimated time left; empty if unknown.
    """

    sentence: str
    done: int
    total: int
    rate: float | None
    left: str


@dataclass(frozen=True)
class FieldCount:
    """In how many students one field changed."""

    label: str
    count: int


@dataclass(frozen=True)
class Correction:
    """An update with exported rows of this one, and how many of them it has fixed.

    Attributes:
        number: Its number.
        fixed: How many of its rows were applied, or match what is there; None while it runs.
    """

    number: int
    fixed: int | None


def context_of(update: UpdateJob, now: datetime, query: QueryDict, page: int) -> dict[str, Any]:
    """Return the context of the update's page.

    Args:
        update: The update.
        now: The present time.
        query: The query of the address, which selects rows.
        page: The number of the page of rows.
    """
    current = report(update)
    fields = _field_counts(update) if current.ended else []
    sentence, _, advice = result_sentence(current).partition(". ")
    return {
        "report": current,
        "state": badge_words(current).word,
        "sentence": f"{sentence}." if advice else sentence,
        "advice": advice,
        "progress": None if current.ended else progress_of(current, update.district, now),
        "timeline": timeline.timeline(update),
        "mails": timeline.result_mails(update),
        "file": timeline.describe_file(update),
        "fields": fields,
        "changes": sum(field.count for field in fields),
        "errors": _groups(current, Severity.ERROR),
        "warnings": _groups(current, Severity.WARNING),
        "table": row_table(update, current, query, page),
        "file_removed": update.file_removed_at,
        "details_removed": update.details_hidden_at if current.ended else None,
        "correctable": current.rejected + current.not_processed,
        "corrections": list(_corrections(update)),
        "comparison": comparison_of(update) if current.state is State.COMPLETED else None,
        "again": _again(update),
        **_undo(update, now),
        "may_fix": current.ended and not update.file_removed_at and not update.details_hidden_at,
    }


def _again(update: UpdateJob) -> str:
    """Return what it is called to process the file of an ended update once more; or nothing."""
    if not can_start_again(update):
        return ""
    return "Resume" if update.state == State.CANCELED else "Retry"


def _undo(update: UpdateJob, now: datetime) -> dict[str, Any]:
    """Return whether the update can be undone, and why not if that isn't plain to see."""
    obstacle = find_obstacle(update, now)
    is_hidden = obstacle is not None and obstacle.code in _NOT_PLAIN
    return {
        "may_undo": obstacle is None,
        "why_not_undone": obstacle.reason if obstacle and is_hidden else "",
    }


def _corrections(update: UpdateJob) -> Iterator[Correction]:
    for other in update.updatejob_set.exclude(state=State.DISCARDED).order_by("number"):
        has_ended = other.state not in UNFINISHED
        yield Correction(other.number, other.settled if has_ended else None)


def progress_of(unfinished: Report, district: District, now: datetime) -> Progress:
    """Return the progress of an unfinished update; with rate and time left while it progresses."""
    phase = progress.phase_progress(unfinished)
    context = status_context(district, unfinished, now)
    sentence = progress_sentence(unfinished, context)
    waiting = unfinished.staged if unfinished.is_waiting else unfinished.rows
    done, total = (phase.done, phase.total) if phase else (0, waiting)
    if not context.is_worker_alive or progress.stalled_since(unfinished, now):
        return Progress(sentence, done, total, None, "")
    seconds = progress.seconds_left(unfinished, now)
    left = approximate(seconds) if seconds else ""
    return Progress(sentence, done, total, progress.rate(unfinished, now), left)


def _groups(current: Report, severity: Severity) -> list[Any]:
    return [group for group in current.groups if group.severity is severity]


def _field_counts(update: UpdateJob) -> Sequence[FieldCount]:
    """Return the counts by field, the highest first."""
    counts = []
    for column, count in changes_by_field(update).items():
        name = "New students" if column == STUDENT_ADDED else label(column)
        counts.append(FieldCount(name, count))
    return sorted(counts, key=lambda field: -field.count)
