"""1. Bytes in: a file becomes an update, or is refused, and is safe on the disk before anybody is told so."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from rollbook.format import reader
from rollbook.format.problems import Problem, Severity
from rollbook.roster.models import District
from rollbook.staff.models import Member
from rollbook.updates import problems, running, spool, states
from rollbook.updates.models import Update
from rollbook.updates.moves import LIVE, Mode, State
from rollbook.updates.spool import Incoming

MOST_WAITING = 3


class QueueFull(Exception):
    """As many updates of the district wait as may wait; their numbers are in ``waiting``."""

    def __init__(self, waiting: list[int]) -> None:
        super().__init__(waiting)
        self.waiting = waiting


@dataclass(frozen=True)
class Receipt:
    """What became of a file: the update, whether it was there already, and an ended one with the same bytes."""

    update: Update
    replayed: bool
    same_as: Update | None


@dataclass(frozen=True)
class _Sent:
    """What tells one sending from another: the same while it lives is the same update."""

    district: District
    digest: str
    mode: Mode
    encoding: str

    def updates(self) -> Any:
        return Update.objects.filter(
            district=self.district, file_digest=self.digest, mode=self.mode, encoding=self.encoding
        )


def receive(
    district: District,
    incoming: Incoming,
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
    sent = _Sent(district, incoming.digest, mode, encoding or district.encoding)
    try:
        replayed = sent.updates().filter(state__in=LIVE).first()
        if replayed:
            return Receipt(replayed, replayed=True, same_as=None)
        incoming.flush()
        survey = reader.survey(incoming.path, encoding=sent.encoding, limits=limits())
        facts = {
            "member": member,
            "via": via,
            "file_name": file_name,
            "file_size": incoming.size,
            "read_as": survey.encoding,
            "header": list(survey.header.names) if survey.header else [],
            "marks": [[place.byte, place.line] for place in survey.marks],
            "rows": 0 if survey.refusal else survey.rows,
            "spool_name": incoming.keep(),
        }
        return _commit(sent, facts, survey.problems, incoming)
    finally:
        incoming.discard()


def limits() -> reader.Limits:
    """What the operator lets a file have."""
    return reader.Limits(rows=settings.MAX_ROWS, bytes=settings.MAX_UPLOAD_BYTES)


def sweep() -> int:
    """Remove from the spool what no update names; returns how many files that were.

    On PostgreSQL also what only updates name that have ended: it can be had from the database.
    """
    # In this order: a file is named before it is let go of, so one that is not named by then never will be.
    let_go = spool.let_go()
    named = Update.objects.filter(state__in=LIVE) if settings.ON_POSTGRESQL else Update.objects.all()
    left_over = let_go.difference(named.values_list("spool_name", flat=True))
    spool.remove(left_over)
    return len(left_over)


def _commit(sent: _Sent, facts: dict[str, Any], found: Sequence[Problem], incoming: Incoming) -> Receipt:
    refused = any(problem.severity is Severity.ERROR for problem in found)
    with transaction.atomic():
        District.objects.select_for_update(no_key=True).get(pk=sent.district.pk)  # one at a time
        replayed = sent.updates().filter(state__in=LIVE).first()
        if replayed:
            return Receipt(replayed, replayed=True, same_as=None)
        same_as = sent.updates().order_by("-number").first()
        if not refused:
            _require_room(sent.district)
        update = Update.objects.create(
            district=sent.district,
            number=_next_number(sent.district),
            mode=sent.mode,
            encoding=sent.encoding,
            file_digest=sent.digest,
            state=State.RECEIVED,
            received_at=timezone.now(),
            problem_counts=problems.counts(found),
            **facts,
        )
        spool.share(update.spool_name)
        problems.keep(update.pk, found)
        if refused:
            states.move(update.pk, State.REFUSED)
            update.refresh_from_db()
        running.due(update.pk)
        # Now and not later: if the database is lost at the commit, nobody knows whether the update is there. If it is
        # not, the file will be swept.
        incoming.hand_over()
    return Receipt(update, replayed=False, same_as=same_as)


def _next_number(district: District) -> int:
    highest: int | None = Update.objects.filter(district=district).aggregate(highest=Max("number"))["highest"]
    return (highest or 0) + 1


def _require_room(district: District) -> None:
    waiting = list(
        Update.objects.filter(district=district, state=State.RECEIVED)
        .order_by("number")
        .values_list("number", flat=True)
    )
    running_one = Update.objects.filter(district=district, state__in=[State.CHECKING, State.APPLYING]).exists()
    if len(waiting) >= MOST_WAITING + (0 if running_one else 1):
        raise QueueFull(waiting)
