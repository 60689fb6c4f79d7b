"""Start to undo an update: its plan is made next, and waits for a person."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from django.db import transaction
from django.db.models import F, Min, Q

from rollbook.accounts.audit import log
from rollbook.accounts.models import Member
from rollbook.districts.models import District
from rollbook.students.models import Change
from rollbook.updates import runner, state_log
from rollbook.updates.models import UpdateJob
from rollbook.updates.receiving import receive
from rollbook.updates.state_machine import PLAN_WAITING, UNFINISHED, Mode, State

HISTORY_NEEDED = timedelta(days=1)
"""How much longer the history of an update must be kept, so that its plan can be made."""


@dataclass
class NotUndoable(Exception):
    """An update can't be undone.

    Attributes:
        code: Why, as a word.
        reason: Why, and what to do instead, in sentences.
        by: The number of the update that undoes it already, if that is why.
    """

    code: str
    reason: str
    by: int | None = None

    def __str__(self) -> str:
        return self.reason


def find_obstacle(update: UpdateJob, now: datetime) -> NotUndoable | None:
    """Return why an update can't be undone now; None if it can be."""
    number = update.number
    if update.state in PLAN_WAITING and update.decided_at is None:
        return NotUndoable(
            "not_applied", f"Update {number} hasn't been applied. Discard its plan instead."
        )
    if update.state in UNFINISHED:
        return NotUndoable(
            "not_ended", f"Update {number} hasn't ended. Cancel it, or wait until it has ended."
        )
    other = _undoing(update)
    if other and other.state == State.COMPLETED:
        return NotUndoable(
            "already_undone",
            f"Update {number} was undone by update {other.number}. To get its changes back, undo "
            f"update {other.number}.",
            other.number,
        )
    if other:
        return NotUndoable(
            "being_undone",
            f"Update {other.number} undoes update {number} already. Apply or discard its plan.",
            other.number,
        )
    if not (update.changed or update.rows_deactivated):
        return NotUndoable(
            "nothing_changed", f"Update {number} changed no students, so there's nothing to undo."
        )
    if not _has_history(update, now):
        return NotUndoable(
            "expired",
            f"Update {number} can't be undone: its old values are no longer kept, according to "
            "your district's settings.",
        )
    return None


def start(
    district: District, number: int, member: Member | None, source: str, now: datetime
) -> UpdateJob:
    """Create the update that undoes another one, and record that.

    Args:
        district: The district.
        number: The number of the update to undo, which exists.
        member: Who undoes it; None: the operator.
        source: How it was asked for.
        now: The present time.

    Raises:
        NotUndoable: The update can't be undone.
        QueueFull: Too many updates are waiting.
        DistrictSuspended: The district is suspended.
    """
    with transaction.atomic():
        receive.lock_district(district)
        undone = UpdateJob.objects.get(district=district, number=number)
        if obstacle := find_obstacle(undone, now):
            raise obstacle
        receive.require_place_in_queue(district)
        update = _create(undone, member, source, now)
        detail = f"update {number} by update {update.number}"
        log.record(
            "undo update", "started", district=district, member=member, detail=detail, now=now
        )
        state_log.log_after_commit(update.pk, State.RECEIVED)
        runner.notify_engine(update.pk)
    return update


def _has_history(update: UpdateJob, now: datetime) -> bool:
    """Return whether all changes of an update are kept until its plan has been made."""
    kept = timedelta(days=update.district.history_kept_days)
    if (update.applying_at or update.received_at) < now - kept + HISTORY_NEEDED:
        return False
    removed_through = update.district.history_removed_through
    if not removed_through:
        return True
    # With 0 added, PostgreSQL reads the update's own changes, and not all from the first one on.
    changes = Change.objects.filter(update=update).annotate(key=F("pk") + 0)
    first: int | None = changes.aggregate(first=Min("key"))["first"]
    return first is not None and first > removed_through


def _undoing(update: UpdateJob) -> UpdateJob | None:
    """Return the update that has undone another one, or is about to."""
    counts = Q(state__in=UNFINISHED) | Q(state=State.COMPLETED)
    return UpdateJob.objects.filter(counts, undoes=update).first()


def _create(undone: UpdateJob, member: Member | None, source: str, now: datetime) -> UpdateJob:
    """Create the update; it has no file, as if retention had removed that already."""
    name = f"undo-{secrets.token_hex(16)}"
    students = Change.objects.filter(update=undone).values("student").distinct().count()
    return UpdateJob.objects.create(
        district_id=undone.district_id,
        number=receive.next_number(undone.district),
        mode=Mode.UPDATE,
        is_check=True,
        state=State.RECEIVED,
        received_at=now,
        undoes=undone,
        member=member,
        source=source,
        file_name=f"Undo of update {undone.number}",
        file_size=0,
        file_digest=sha256(name.encode()).hexdigest(),
        spool_name=name,
        encoding="",
        detected_encoding="",
        rows=students,
        file_removed_at=now,
    )
