"""Load the data of an update's page."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from rollbook.districts.models import District
from rollbook.pagination import Page
from rollbook.studentfile.problems.problem import Severity
from rollbook.students.writer import STUDENT_ADDED
from rollbook.updates.models import UpdateJob
from rollbook.updates.reporting import progress, rows, timeline
from rollbook.updates.reporting.field_counts import changes_by_field
from rollbook.updates.reporting.report import Report, previous, report
from rollbook.updates.reporting.rows import RowView
from rollbook.updates.reporting.state_words import result_sentence
from rollbook.updates.reporting.status_json import status_context
from rollbook.updates.reporting.status_line import approximate
from rollbook.updates.state_machine import State
from rollbook.web.pages.base.column_labels import label
from rollbook.web.pages.base.state_badge import badge_words
from rollbook.web.pages.updates.progress_sentences import progress_sentence

FIRST_ROWS = 10


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
class Difference:
    """One count of this update and of the completed one before."""

    what: str
    now: int
    before: int


def context_of(update: UpdateJob, now: datetime) -> dict[str, Any]:
    """Return the context of the update's page."""
    current = report(update)
    before = previous(update)
    fields = _field_counts(update) if current.ended else []
    context = {
        "report": current,
        "state": badge_words(current).word,
        "sentence": result_sentence(current),
        "progress": None if current.ended else progress_of(current, update.district, now),
        "timeline": timeline.timeline(update),
        "mails": timeline.result_mails(update),
        "file": timeline.describe_file(update),
        "fields": fields,
        "changes": sum(field.count for field in fields),
        "errors": _groups(current, Severity.ERROR),
        "warnings": _groups(current, Severity.WARNING),
        "rows": _first_rows(update),
        "file_removed": update.file_removed_at,
        "details_removed": update.details_hidden_at,
        "before": before,
    }
    if before and current.state is State.COMPLETED:
        context["differences"] = _differences(current, before)
    return context


def _first_rows(update: UpdateJob) -> Page[RowView] | None:
    """Return the first rows without confidential values; None once retention has removed them."""
    if update.details_hidden_at:
        return None
    page = rows.rows_of(update, size=FIRST_ROWS)
    return replace(page, items=[row.without_confidential() for row in page.items])


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


def _differences(current: Report, before: UpdateJob) -> list[Difference]:
    differences = [
        Difference("rows", current.rows, before.rows),
        Difference("updated", current.updated, before.rows_updated),
        Difference("added", current.added, before.rows_added),
        Difference("rejected", current.rejected, before.rows_rejected),
    ]
    if current.left_out or before.rows_left_out:
        differences.append(Difference("left out", current.left_out, before.rows_left_out))
    if current.deactivated or before.rows_deactivated:
        differences.append(Difference("deactivated", current.deactivated, before.rows_deactivated))
    return differences
