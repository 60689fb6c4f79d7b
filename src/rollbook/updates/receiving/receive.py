"""1. Bytes in: a file becomes an update, or is refused, and is safe on the disk before anybody is told so."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils import timezone

from rollbook.accounts.models import Member
from rollbook.districts.models import District
from rollbook.studentfile.problems.problem import Problem, Severity
from rollbook.studentfile.reading import reader
from rollbook.studentfile.reading.reader import FileScan
from rollbook.updates import problem_store, runner, transitions
from rollbook.updates.exports import source_update
from rollbook.updates.models import Draft, UpdateJob
from rollbook.updates.receiving import files as spool
from rollbook.updates.receiving.files import IncomingFile
from rollbook.updates.state_machine import UNFINISHED, Mode, State

MAX_WAITING = 3


class QueueFull(Exception):
    """As many updates of the district wait as may wait; their numbers are in ``waiting``."""

    def __init__(self, waiting: list[int]) -> None:
        super().__init__(waiting)
        self.waiting = waiting


@dataclass(frozen=True)
class Receipt:
    """What became of a file: the update, whether it was there already, and an ended one with the same bytes."""

    update: UpdateJob
    replayed: bool
    same_as: UpdateJob | None


@dataclass(frozen=True)
class Submission:
    """A surveyed file on its way to become an update; while that lives, the same file sent alike is the same update.

    ``facts`` are all else that an update's row is to tell, of the file and of who sent it.
    """

    district: District
    digest: str
    mode: Mode
    encoding: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    problems: Sequence[Problem] = ()

    def updates(self) -> "QuerySet[UpdateJob]":
        """What was sent like this, now or earlier."""
        return UpdateJob.objects.filter(
            district=self.district, file_digest=self.digest, mode=self.mode, encoding=self.encoding
        )

    def find_unfinished(self) -> Receipt | None:
        """The answer if one of them lives."""
        update = self.updates().filter(state__in=UNFINISHED).first()
        return Receipt(update, replayed=True, same_as=None) if update else None


def receive(
    district: District,
    incoming: IncomingFile,
    *,
    file_name: str,
    mode: Mode = Mode.UPDATE,
    encoding: str = "",
    member: Member | None = None,
    via: str = "curl",
) -> Receipt:
    """Make an update of the file; one that cannot be accepted becomes an update in the state refused.

    The same bytes while their update lives give that update. ``file_name`` is for display and must be fit for it.
    Raises QueueFull, and OSError when the disk takes no more; then nothing is kept.
    """
    sending = Submission(district, incoming.digest, mode, encoding or district.encoding)
    try:
        if replayed := sending.find_unfinished():
            return replayed
        incoming.flush()
        survey = reader.scan(incoming.path, encoding=sending.encoding, limits=limits())
        facts = store_and_describe(incoming, survey) | {
            "file_name": file_name,
            "member": member,
            "source": via,
        }
        return _commit(replace(sending, facts=facts, problems=survey.problems), incoming)
    finally:
        incoming.discard()


def store_and_describe(incoming: IncomingFile, survey: FileScan) -> dict[str, Any]:
    """Keep the file for good; returns what its survey tells, as models.StudentFile has it."""
    return {
        "file_size": incoming.size,
        "detected_encoding": survey.encoding,
        "header": list(survey.header.names) if survey.header else [],
        "checkpoints": [[place.byte, place.line] for place in survey.checkpoints],
        "rows": 0 if survey.refusal else survey.rows,
        "spool_name": incoming.persist(),
    }


def lock_district(district: District) -> None:
    """Until the caller's transaction ends nobody else begins an update of the district."""
    District.objects.select_for_update(no_key=True).get(pk=district.pk)


def create_update(sending: Submission) -> Receipt:
    """Begin the update, inside the transaction of a caller whose turn it is. Raises QueueFull."""
    if replayed := sending.find_unfinished():
        return replayed
    same_as = sending.updates().order_by("-number").first()
    refused = any(problem.severity is Severity.ERROR for problem in sending.problems)
    if not refused:
        _check_queue_length(sending.district)
    update = UpdateJob.objects.create(
        district=sending.district,
        number=_next_number(sending.district),
        mode=sending.mode,
        encoding=sending.encoding,
        file_digest=sending.digest,
        state=State.RECEIVED,
        received_at=timezone.now(),
        problem_counts=problem_store.counts(sending.problems),
        corrects=source_update.find_source_update(sending.facts["header"], sending.district),
        **sending.facts,
    )
    spool.copy_to_database(update.spool_name)
    problem_store.save_problems(update.pk, sending.problems)
    if refused:
        transitions.transition(update.pk, State.REFUSED)
        update.refresh_from_db()
    runner.notify_engine(update.pk)
    return Receipt(update, replayed=False, same_as=same_as)


def limits() -> reader.Limits:
    """What the operator lets a file have."""
    return reader.Limits(rows=settings.MAX_ROWS, bytes=settings.MAX_UPLOAD_BYTES)


def remove_orphaned_files() -> int:
    """Remove from the spool what no update and no draft names; returns how many files that were.

    An update whose file retention has removed names none. On PostgreSQL also what only updates name that have ended:
    it can be had from the database.
    """
    # In this order: a file is named before it is let go of, so one that is not named by then never will be.
    let_go = spool.unlocked_files()
    needed = {"state__in": UNFINISHED} if settings.ON_POSTGRESQL else {"file_removed_at": None}
    updates = UpdateJob.objects.filter(**needed)
    named = [files.values_list("spool_name", flat=True) for files in (Draft.objects.all(), updates)]
    left_over = let_go.difference(*named)
    spool.remove(left_over)
    return len(left_over)


def _commit(sending: Submission, incoming: IncomingFile) -> Receipt:
    with transaction.atomic():
        lock_district(sending.district)
        receipt = create_update(sending)
        if not receipt.replayed:
            # Now and not later: if the database is lost at the commit, nobody knows whether the update is there. If it
            # is not, the file will be swept.
            incoming.release_ownership()
    return receipt


def _next_number(district: District) -> int:
    highest: int | None = UpdateJob.objects.filter(district=district).aggregate(
        highest=Max("number")
    )["highest"]
    return (highest or 0) + 1


def _check_queue_length(district: District) -> None:
    waiting = list(
        UpdateJob.objects.filter(district=district, state=State.RECEIVED)
        .order_by("number")
        .values_list("number", flat=True)
    )
    running_one = UpdateJob.objects.filter(
        district=district, state__in=[State.CHECKING, State.APPLYING]
    ).exists()
    if len(waiting) >= MAX_WAITING + (0 if running_one else 1):
        raise QueueFull(waiting)
