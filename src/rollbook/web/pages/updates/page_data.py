"""All that the page of one update tells, put together out of the rooms below."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rollbook.districts.models import District
from rollbook.studentfile.problems.problem import Severity
from rollbook.students.writer import STUDENT_ADDED
from rollbook.updates.models import UpdateJob
from rollbook.updates.reporting import progress, rows, timeline
from rollbook.updates.reporting.field_counts import changes_by_field
from rollbook.updates.reporting.report import Report, previous, report
from rollbook.updates.reporting.state_words import result_sentence, words_of
from rollbook.updates.reporting.status_json import status_context
from rollbook.updates.reporting.status_line import approximate, verdict
from rollbook.updates.state_machine import State
from rollbook.web.pages.base.column_labels import SENSITIVE, label

FIRST_ROWS = 10


@dataclass(frozen=True)
class Progress:
    """How far a living update is: one line in words, what is done of what, how fast, and how long it may still take."""

    says: str
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
    """One count of this update, and of the completed one before."""

    what: str
    now: int
    before: int


def facts_of(update: UpdateJob, now: datetime) -> dict[str, Any]:
    """For the page."""
    told = report(update)
    before = previous(update)
    fields = _fields(update) if told.ended else []
    return {
        "report": told,
        "words": words_of(told).word,
        "sentence": result_sentence(told),
        "progress": None if told.ended else progress_of(told, update.district, now),
        "timeline": timeline.timeline(update),
        "letters": timeline.result_mails(update),
        "file": timeline.file_facts(update),
        "fields": fields,
        "changes": sum(field.count for field in fields),
        "sensitive": SENSITIVE,
        "errors": [group for group in told.groups if group.severity is Severity.ERROR],
        "warnings": [group for group in told.groups if group.severity is Severity.WARNING],
        "rows": None if update.details_hidden_at else rows.rows_of(update, size=FIRST_ROWS),
        "file_removed": update.file_removed_at,
        "details_removed": update.details_hidden_at,
        "before": before,
        "differences": _differences(told, before)
        if before and told.state is State.COMPLETED
        else [],
    }


def progress_of(told: Report, district: District, now: datetime) -> Progress:
    """Of an update of the district that lives. Rate and time left are told only while it moves."""
    doing, scene = progress.phase_progress(told), status_context(district, told, now)
    moves = scene.worker_alive and not progress.stalled_since(told, now)
    left = progress.seconds_left(told, now) if moves else None
    return Progress(
        says=verdict(told, scene).about.removeprefix(f"update {told.number}: "),
        done=doing.done if doing else 0,
        total=doing.total if doing else told.rows,
        rate=progress.rate(told, now) if moves else None,
        left=approximate(left) if left else "",
    )


def _fields(update: UpdateJob) -> Sequence[FieldCount]:
    """The most frequent first."""
    counts = changes_by_field(update)
    in_order = sorted(counts, key=lambda column: -counts[column])
    return [
        FieldCount("New students" if column == STUDENT_ADDED else label(column), counts[column])
        for column in in_order
    ]


def _differences(told: Report, before: UpdateJob) -> list[Difference]:
    return [
        Difference("rows", told.rows, before.rows),
        Difference("updated", told.updated, before.rows_updated),
        Difference("added", told.added, before.rows_added),
        Difference("rejected", told.rejected, before.rows_rejected),
    ]
