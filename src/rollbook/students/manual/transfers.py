"""Transfers by hand: students of one school go to another one, or are handed to the district, which finishes it.

A member moves students between the schools that are his. Who covers the school they leave but not the one they go to
asks the district: the students stay where they are until a district manager has said where they go.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Count, Q, QuerySet

from rollbook.accounts.models import Member
from rollbook.districts.models import School
from rollbook.students import visibility
from rollbook.students.manual import edits, edits_by_member
from rollbook.students.models import Group, Student, Transfer, TransferState
from rollbook.validation import ValidationFailed

MAX_NOTE_LENGTH = 200


class InvalidTransfer(ValidationFailed):
    """The students stay where they are."""


@dataclass(frozen=True)
class TransferSelection:
    """Students of one school who are to go together, and what they are called together: a name, a group, a school."""

    title: str
    source: School
    pks: tuple[int, ...]


def select_student(member: Member, key: int) -> TransferSelection | None:
    """This student, if he is the member's to transfer."""
    student = visibility.student(member, key)
    if student is None:
        return None
    return TransferSelection(
        f"{student.first_name} {student.last_name}", student.school, (student.pk,)
    )


def select_group(member: Member, key: int) -> TransferSelection | None:
    """All students of this group, inactive ones too."""
    group = (
        Group.objects.select_related("school")
        .filter(pk=key, school__in=visibility.schools(member))
        .first()
    )
    if group is None:
        return None
    return TransferSelection(
        f"group {group.name}",
        group.school,
        _keys(visibility.visible_students(member).filter(groups=group)),
    )


def select_school(member: Member, key: int) -> TransferSelection | None:
    """All students of this school, inactive ones too."""
    school = visibility.schools(member).filter(pk=key).first()
    return (
        None
        if school is None
        else TransferSelection(
            school.name, school, _keys(visibility.visible_students(member).filter(school=school))
        )
    )


def targets(member: Member, source: School | None) -> list[School]:
    """The schools to which the member can move students of this one."""
    return [
        school for school in visibility.schools(member) if source is None or school.pk != source.pk
    ]


def move(member: Member, chosen: TransferSelection, target: School, now: datetime) -> Transfer:
    """The students go to this school of the member's, all or none. Raises TransferRefused."""
    with transaction.atomic():
        _require_ours(member, chosen.source, target)
        here = _still_there(member, chosen.source, chosen.pks)
        edits.transfer_students(
            member.district_id, here, target, edits_by_member.author(member, now)
        )
        return _save(member, chosen.source, here, now, _completion_fields(member, target, now))


def request_transfer(
    member: Member, chosen: TransferSelection, note: str, now: datetime
) -> Transfer:
    """The students stay until a district manager says where they go. Raises TransferRefused."""
    note = " ".join(note.split())
    if not 0 < len(note) <= MAX_NOTE_LENGTH or not note.isprintable():
        raise InvalidTransfer([f"say in up to {MAX_NOTE_LENGTH} characters where they should go"])
    with transaction.atomic():
        _require_ours(member, chosen.source)
        here = _still_there(member, chosen.source, chosen.pks)
        if Transfer.objects.filter(state=TransferState.PENDING, students__in=here).exists():
            raise InvalidTransfer(
                ["some of them are handed to the district already; take that back first"]
            )
        return _save(
            member, chosen.source, here, now, {"state": TransferState.PENDING, "note": note}
        )


def complete_transfer(member: Member, transfer: Transfer, target: School, now: datetime) -> int:
    """Move those who were handed over, and are where they were, to this school; returns how many. Raises
    TransferRefused.
    """
    with transaction.atomic():
        waiting = _lock_pending(member, transfer)
        if waiting.source is None or not may_complete(member):
            raise InvalidTransfer(["only who acts for the whole district can finish it"])
        _require_ours(member, waiting.source, target)
        here = _still_there(member, waiting.source, _keys(waiting.students.all()))
        moved = edits.transfer_students(
            member.district_id, here, target, edits_by_member.author(member, now)
        )
        Transfer.objects.filter(pk=waiting.pk).update(**_completion_fields(member, target, now))
    return moved


def withdraw(member: Member, transfer: Transfer, now: datetime) -> None:
    """The students stay; nobody is asked any more. Raises TransferRefused."""
    with transaction.atomic():
        waiting = _lock_pending(member, transfer)
        ended = {"state": TransferState.WITHDRAWN, "closed_by": member, "closed_at": now}
        Transfer.objects.filter(pk=waiting.pk).update(**ended)


def reverse_transfer(member: Member, transfer: Transfer, now: datetime) -> Transfer:
    """Move those who came with this transfer, and are still there, back to where they were: another transfer.

    Their groups and staff there do not come back with them. Raises TransferRefused.
    """
    if not may_reverse(member, transfer) or transfer.source is None or transfer.target is None:
        raise InvalidTransfer(
            ["it cannot be moved back by you: both schools must be there, and yours"]
        )
    chosen = TransferSelection(
        transfer.target_name, transfer.target, _keys(transfer.students.all())
    )
    return move(member, chosen, transfer.source, now)


def may_complete(member: Member) -> bool:
    """Whether students are handed over to this member, among others."""
    return member.role.is_district_wide


def may_reverse(member: Member, transfer: Transfer) -> bool:
    """Whether it has moved students between two schools that are there, and the member's."""
    ours = {school.pk for school in visibility.schools(member)}
    return (
        transfer.state == TransferState.COMPLETED
        and {transfer.source_id, transfer.target_id} <= ours
    )


def visible(member: Member) -> QuerySet[Transfer]:
    """The transfers of the member's schools, the latest first; each has ``moving``, how many students."""
    ours = Transfer.objects.filter(district=member.district_id).select_related(
        "source", "target", "requested_by", "closed_by"
    )
    if not member.role.is_district_wide:
        schools = visibility.schools(member)
        ours = ours.filter(Q(source__in=schools) | Q(target__in=schools))
    return ours.annotate(moving=Count("students")).order_by("-requested_at", "-pk")


def count_pending(member: Member) -> int:
    """How many hand-overs wait for this member."""
    if not may_complete(member):
        return 0
    return Transfer.objects.filter(district=member.district_id, state=TransferState.PENDING).count()


def _keys(students: QuerySet[Student]) -> tuple[int, ...]:
    return tuple(students.order_by("pk").values_list("pk", flat=True))


def _require_ours(member: Member, *schools: School) -> None:
    ours = {school.pk for school in visibility.schools(member)}
    names = [school.name for school in schools if school.pk not in ours]
    if names:
        raise InvalidTransfer(
            [f"{name} is not among your schools; hand the students over instead" for name in names]
        )
    if len({school.pk for school in schools}) < len(schools):
        raise InvalidTransfer(["they are at that school already"])


def _still_there(member: Member, source: School, pks: Collection[int]) -> list[int]:
    """Those of the students who are at the school now; raises TransferRefused if there is none."""
    wanted = set(pks)
    here = [
        pk
        for pk in _keys(visibility.visible_students(member).filter(school=source))
        if pk in wanted
    ]
    if not here:
        raise InvalidTransfer([f"none of them is at {source.name}"])
    return here


def _lock_pending(member: Member, transfer: Transfer) -> Transfer:
    """The transfer as it is now, if it waits; of two who end it, one waits. Raises TransferRefused."""
    Transfer.objects.select_for_update(no_key=True).get(pk=transfer.pk)
    current = visible(member).filter(pk=transfer.pk).first()
    if current is None or current.state != TransferState.PENDING:
        raise InvalidTransfer(["it does not wait any more"])
    return current


def _completion_fields(member: Member, target: School, now: datetime) -> dict[str, object]:
    return {
        "state": TransferState.COMPLETED,
        "target": target,
        "target_name": target.name,
        "closed_by": member,
        "closed_at": now,
    }


def _save(
    member: Member, source: School, pks: list[int], now: datetime, facts: dict[str, object]
) -> Transfer:
    transfer = Transfer.objects.create(
        district=member.district,
        source=source,
        source_name=source.name,
        requested_by=member,
        requested_at=now,
        **facts,
    )
    through = Transfer.students.through
    through.objects.bulk_create(
        [through(transfer_id=transfer.pk, student_id=pk) for pk in pks], batch_size=500
    )
    return transfer
