"""Examine a file whose rows have been checked: is it damaged, or the wrong one?

What is found is a warning of the update. If much looks wrong, it is a reason to hold the update,
unless changes are expected that explain it.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Max

from rollbook.studentfile.reading.header import Header
from rollbook.studentfile.shape import Shape, shape_of
from rollbook.updates import problem_store
from rollbook.updates.feed import changes, last_file, sample, unknown_ids
from rollbook.updates.feed.findings import Finding
from rollbook.updates.models import UpdateJob
from rollbook.updates.planning.limits import Reason
from rollbook.updates.state_machine import State

MIN_CHANGES = 10
"""Rows that an earlier file would change, at least, for it to matter that it was sent again."""


@dataclass(frozen=True)
class Examined:
    """What was found about a file.

    Attributes:
        shape: Its shape.
        findings: What looks wrong.
    """

    shape: Shape = field(default_factory=Shape)
    findings: tuple[Finding, ...] = ()

    def reasons(self, expected: Collection[str]) -> list[Reason]:
        """Return why the update is to be held.

        Args:
            expected: Columns that are expected to change for everyone.
        """
        held = [each for each in self.findings if each.holds]
        return [each.reason() for each in held if not each.is_expected(expected)]


def examine(update: UpdateJob, now: datetime) -> Examined:
    """Return what looks wrong with a file, of which all rows have been checked."""
    if update.same_as and update.same_as.shape:
        return Examined(Shape.from_json(update.same_as.shape), tuple(changes.find(update, now)))
    header = update.parse_header()
    rows = sample.sample(update, header)
    shape = shape_of(sample.header_of_cells(header), rows)
    return Examined(shape, tuple(_findings(update, header, rows, shape, now)))


def _findings(
    update: UpdateJob, header: Header, rows: list[list[str]], shape: Shape, now: datetime
) -> Iterator[Finding]:
    ids = list(unknown_ids.find(update, header, rows))
    yield from ids
    if not update.corrects_id:  # the rows of a retry are those that were rejected
        compared = last_file.compare(update, shape)
        yield from (each for each in compared if not _is_explained(each, ids))
    yield from changes.find(update, now)
    yield from _earlier_file(update)


def _is_explained(finding: Finding, ids: Sequence[Finding]) -> bool:
    """Return whether a finding follows from IDs in another form, which are reported already."""
    is_of_ids = finding.code == "other_students" or finding.column == unknown_ids.COLUMN
    return is_of_ids and any(each.holds for each in ids)


def _earlier_file(update: UpdateJob) -> Iterator[Finding]:
    """Yield that the file was sent before, another one since, and that it would change students.

    A district that sends the same two files every night changes nothing with either.
    """
    if update.rows_staged < MIN_CHANGES:
        return
    completed = UpdateJob.objects.filter(
        district=update.district_id, state=State.COMPLETED, split_from=None, undoes=None
    ).exclude(pk=update.pk)
    same = completed.filter(file_digest=update.file_digest)
    last = same.aggregate(number=Max("number"))["number"]
    if last is None:
        return
    since = completed.filter(number__gt=last, corrects=None)
    others = since.exclude(file_digest=update.file_digest).only("number", "header")
    if any(each.header == update.header for each in others.iterator()):
        hint = f"it is the file of update {last}"
        yield Finding("earlier_file", 1, 1, holds=True, hint=hint)


def store(update: UpdateJob, examined: Examined) -> dict[str, Any]:
    """Store what was found, in the transaction in which the update leaves checking.

    Returns:
        The columns to write in that transition.
    """
    problems = [finding.problem for finding in examined.findings]
    problem_store.save_problems(update, problems)
    update.shape = examined.shape.as_json()
    update.findings = [finding.as_json() for finding in examined.findings] or None
    update.problem_counts = problem_store.counts(problems, update.problem_counts)
    return {name: getattr(update, name) for name in ("shape", "findings", "problem_counts")}
