"""Decide about a plan that waits: approve it, or discard it; or nobody decides in time.

Each decision is one conditional UPDATE, so of several at the same moment exactly one is made.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from rollbook.accounts.audit import log
from rollbook.accounts.models import Member
from rollbook.accounts.permissions import Permission
from rollbook.districts.models import District, School
from rollbook.districts.suspension import require_not_suspended
from rollbook.text import format_datetime, join_words, printable
from rollbook.updates import runner, transitions
from rollbook.updates.models import UpdateJob
from rollbook.updates.planning import limit_sets
from rollbook.updates.state_machine import (
    DISCARDED_BY_PERSON,
    EXPIRED,
    PLAN_WAITING,
    REPLACED,
    State,
)

MAX_NOTE_LENGTH = 200
MAX_NAMED_SCHOOLS = 5

_UNDECIDED = Q(state__in=PLAN_WAITING, decided_at=None)


class NotDecided(Exception):
    """The decision can't be made; the text says why and what to do instead."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True)
class Decider:
    """Who decides about a plan.

    Attributes:
        member: The staff member; None: the operator.
        token_key: The key of the token that is used; empty: none is.
        note: Why, in the person's own words.
    """

    member: Member | None
    token_key: str = ""
    note: str = ""


def approve(
    district: District,
    number: int,
    digest: str,
    by: Decider,
    now: datetime,
    without: Collection[str] = (),
) -> UpdateJob:
    """Approve a plan, so that it is applied as soon as no other update is in progress.

    Args:
        district: The district.
        number: The number of the update.
        digest: The digest of the plan that was reviewed.
        by: Who approves it.
        now: The present time.
        without: SCHOOL_IDs of schools whose rows are left out.

    Raises:
        NotDecided: The plan doesn't wait, is another one, or this person may not approve it.
        DistrictSuspended: The district is suspended.
    """
    with transaction.atomic():
        update = _find(district, number, digest)
        _require_allowed(update, by)
        _require_schools(district, without)
        decided = UpdateJob.objects.filter(_UNDECIDED, pk=update.pk, plan_digest=digest).update(
            apply_at=now,
            discard_at=None,
            decided_by=by.member,
            decided_at=now,
            decision_note=by.note[:MAX_NOTE_LENGTH],
            left_out_schools=sorted(set(without)) or None,
        )
        if not decided:
            raise _already_decided(district, number)
        detail = f"update {number}, plan {digest}"
        if without:
            detail += f", without {join_words(sorted(set(without)))}"
        _audit("approve update", district, by, detail, now)
        runner.notify_engine(update.pk)
    update.refresh_from_db()
    return update


def needed_permission(update: UpdateJob) -> Permission:
    """Return the permission that approving the plan needs."""
    if update.state == State.SCHEDULED or (update.is_check and not update.reasons):
        return Permission.UPDATE_STUDENTS
    return Permission.APPROVE_UPDATES


def discard(district: District, number: int, digest: str, by: Decider, now: datetime) -> UpdateJob:
    """Discard a plan: nothing of it is applied.

    Raises:
        NotDecided: The plan doesn't wait, or is another one.
        DistrictSuspended: The district is suspended.
    """
    with transaction.atomic():
        update = _find(district, number, digest)
        is_made = transitions.transition(
            update.pk,
            State.DISCARDED,
            condition=_UNDECIDED & Q(plan_digest=digest),
            member=by.member,
            discard_reason=DISCARDED_BY_PERSON,
            decided_by=by.member,
            decided_at=now,
            decision_note=by.note[:MAX_NOTE_LENGTH],
        )
        if not is_made:
            raise _already_decided(district, number)
        _audit("discard update", district, by, f"update {number}, plan {digest}", now)
        runner.notify_engine(update.pk)
    update.refresh_from_db()
    return update


def replace_dry_runs_of_file(by: UpdateJob) -> None:
    """Discard the dry runs of a file that wait, because the same member checks it again."""
    same = UpdateJob.objects.filter(
        _UNDECIDED,
        district=by.district_id,
        member=by.member_id,
        file_digest=by.file_digest,
        source=by.source,
        is_check=True,
        number__lt=by.number,
    )
    for old in same.order_by("number"):
        replace_plan(old, by)


def replace_plan(old: UpdateJob, by: UpdateJob) -> None:
    """Discard a plan that still waits, because its file is checked again as another update."""
    transitions.transition(
        old.pk,
        State.DISCARDED,
        condition=_UNDECIDED & ~Q(pk=by.pk),
        discard_reason=REPLACED,
        replaced_by=by,
    )


def discard_expired(now: datetime) -> int:
    """Discard the plans that nobody has decided on in time; return how many."""
    expired = UpdateJob.objects.filter(_UNDECIDED, discard_at__lte=now)
    count = 0
    for key in list(expired.order_by("discard_at").values_list("pk", flat=True)):
        with transaction.atomic():
            is_made = transitions.transition(
                key,
                State.DISCARDED,
                condition=_UNDECIDED & Q(discard_at__lte=now),
                discard_reason=EXPIRED,
            )
            if is_made:
                runner.notify_engine(key)
                count += 1
    return count


def _find(district: District, number: int, digest: str) -> UpdateJob:
    require_not_suspended(District.objects.select_for_update(no_key=True).get(pk=district.pk))
    update = UpdateJob.objects.filter(district=district, number=number).first()
    if update is None:
        raise NotDecided("no_update", f"{district.name} has no update {number}; see the list")
    if update.state not in PLAN_WAITING or update.decided_at is not None:
        raise _already_decided(district, number)
    if update.plan_digest != digest:
        shown = printable(digest, 40)
        raise NotDecided(
            "another_plan",
            f"the plan of update {number} is {update.plan_digest}, not {shown}; review it again",
        )
    return update


def _require_allowed(update: UpdateJob, by: Decider) -> None:
    if by.token_key and by.token_key == update.token_key:
        raise NotDecided(
            "own_update",
            "the token that started an update can't approve it; approve it in the browser, or "
            "with another token",
        )
    if by.member is not None and not by.member.may(needed_permission(update)):
        raise NotDecided("not_allowed", "your role can't approve updates")
    if update.state == State.SCHEDULED:
        return  # nobody needs to approve it; it is only applied earlier
    document = limit_sets.find_current(update.district_id).document
    is_own = by.member is not None and by.member.pk == update.member_id
    if document.second_person and is_own:
        raise NotDecided(
            "own_update",
            "your district requires a second person, and you started this update; ask another "
            "district manager to approve it",
        )


def _require_schools(district: District, without: Collection[str]) -> None:
    known = School.objects.filter(district=district, organization_id__in=without)
    unknown = sorted(set(without) - set(known.values_list("organization_id", flat=True)))
    if unknown:
        names = join_words([printable(name, 40) for name in unknown[:MAX_NAMED_SCHOOLS]])
        raise NotDecided("no_school", f"there is no school {names}; use SCHOOL_IDs of the plan")


def _already_decided(district: District, number: int) -> NotDecided:
    update = UpdateJob.objects.get(district=district, number=number)
    return NotDecided("no_plan_waiting", " ".join(_what_happened(update)))


def _what_happened(update: UpdateJob) -> Iterator[str]:
    name = f"update {update.number}"
    if update.state == State.DISCARDED:
        yield _how_discarded(update)
        if update.undoes:
            yield f"Undo update {update.undoes.number} again if that is still wanted."
        else:
            yield "Upload the file again if it is still wanted."
    elif update.decided_at is not None:
        at = format_datetime(update.decided_at, update.district.time_zone)
        yield f"{name} was approved at {at}; cancel it to stop it."
    else:
        yield f"{name} is {update.state}; no plan of it waits for a decision."


def _how_discarded(update: UpdateJob) -> str:
    if update.discard_reason == REPLACED and update.replaced_by:
        return f"update {update.number} was replaced by update {update.replaced_by.number}."
    if update.discard_reason == EXPIRED:
        return f"update {update.number} was discarded because nobody decided in time."
    return f"update {update.number} was discarded."


def _audit(action: str, district: District, by: Decider, detail: str, now: datetime) -> None:
    if by.note:
        detail += f": {by.note[:MAX_NOTE_LENGTH]}"
    log.record(action, "ok", district=district, member=by.member, detail=detail, now=now)
