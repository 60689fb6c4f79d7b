"""Transfers by hand: move students of one school to another, or ask the district to do it.

Members move students between their own schools. To move students to another school, they request a
transfer: the students stay where they are until a district manager completes it.
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
from rollbook.text import count_of, join_words
from rollbook.validation import ValidationFailed

MAX_NOTE_LENGTH = 200


class InvalidTransfer(ValidationFailed):
    """A transfer can't be made, requested or closed as requested; the students weren't moved."""


@dataclass(frozen=True)
class TransferSelection:
    """Students of one school to move together.

    Attributes:
        title: What was selected: the name of a student, a group or a school.
        source: The school that they leave.
        pks: The students' IDs in the database.
    """

    title: str
    source: School
    pks: tuple[int, ...]


def select_student(member: Member, key: int) -> TransferSelection | None:
    """Select one student; return None if the member may not see the student."""
    student = visibility.student(member, key)
    if student is None:
        return None
    name = f"{student.first_name} {student.last_name}"
    return TransferSelection(name, student.school, (student.pk,))


def select_students(member: Member, keys: Collection[int]) -> TransferSelection | None:
    """Select several students; return None if the member may see none of them.

    Raises:
        InvalidTransfer: They are at several schools.
    """
    visible = visibility.visible_students(member).filter(pk__in=keys)
    schools = list(School.objects.filter(pk__in=visible.values("school")).order_by("name"))
    if not schools:
        return None
    if len(schools) > 1:
        names = join_words([school.name for school in schools])
        raise InvalidTransfer([f"these students are at {names}; select those of one school"])
    pks = _keys(visible)
    return TransferSelection(count_of(len(pks), "student"), schools[0], pks)


def select_group(member: Member, key: int) -> TransferSelection | None:
    """Select all students of a group, including inactive ones.

    Returns:
        The selection, or None if the group isn't one of the member's schools.
    """
    groups = Group.objects.select_related("school")
    group = groups.filter(pk=key, school__in=visibility.schools(member)).first()
    if group is None:
        return None
    pks = _keys(visibility.visible_students(member).filter(groups=group))
    return TransferSelection(f"group {group.name}", group.school, pks)


def select_school(member: Member, key: int) -> TransferSelection | None:
    """Select all students of a school, including inactive ones.

    Returns:
        The selection, or None if it isn't one of the member's schools.
    """
    school = visibility.schools(member).filter(pk=key).first()
    if school is None:
        return None
    pks = _keys(visibility.visible_students(member).filter(school=school))
    return TransferSelection(school.name, school, pks)


def targets(member: Member, source: School | None) -> list[School]:
    """Return the member's schools, without the school that the students leave."""
    schools = visibility.schools(member)
    if source is not None:
        schools = schools.exclude(pk=source.pk)
    return list(schools)


def move(member: Member, selection: TransferSelection, target: School, now: datetime) -> Transfer:
    """Move students to another school of the member.

    Students who have left the source meanwhile are not moved.

    Raises:
        InvalidTransfer: A school isn't one of the member's, or no student is at the source.
    """
    with transaction.atomic():
        _require_own_schools(member, selection.source, target)
        pks = _students_at(member, selection.source, selection.pks)
        author = edits_by_member.author(member, now)
        edits.transfer_students(member.district_id, pks, target, author)
        return _save(member, selection.source, pks, now, _completion_fields(member, target, now))


def request_transfer(
    member: Member, selection: TransferSelection, note: str, now: datetime
) -> Transfer:
    """Ask the district to move students; until then, they stay at their school.

    Args:
        member: Who requests the transfer.
        selection: The students.
        note: Where the students should go, for the district.
        now: When it's requested.

    Raises:
        InvalidTransfer: The note is missing or too long, the school isn't one of the member's, no
            student is at the school, or some students have a pending transfer.
    """
    note = " ".join(note.split())
    if not 0 < len(note) <= MAX_NOTE_LENGTH or not note.isprintable():
        raise InvalidTransfer([f"say in up to {MAX_NOTE_LENGTH} characters where they should go"])
    with transaction.atomic():
        _require_own_schools(member, selection.source)
        pks = _students_at(member, selection.source, selection.pks)
        if Transfer.objects.filter(state=TransferState.PENDING, students__in=pks).exists():
            raise InvalidTransfer(
                ["some of them already have a pending transfer; withdraw that one first"]
            )
        fields: dict[str, object] = {"state": TransferState.PENDING, "note": note}
        return _save(member, selection.source, pks, now, fields)


def complete_transfer(member: Member, transfer: Transfer, target: School, now: datetime) -> int:
    """Move the students of a pending transfer who are still at their school.

    Returns:
        The number of students moved.

    Raises:
        InvalidTransfer: It isn't pending, the member doesn't work for the whole district, or no
            student is at the source.
    """
    with transaction.atomic():
        pending = _lock_pending(member, transfer)
        if pending.source is None or not may_complete(member):
            raise InvalidTransfer(["only staff for the whole district can complete it"])
        _require_own_schools(member, pending.source, target)
        pks = _students_at(member, pending.source, _keys(pending.students.all()))
        author = edits_by_member.author(member, now)
        moved = edits.transfer_students(member.district_id, pks, target, author)
        Transfer.objects.filter(pk=pending.pk).update(**_completion_fields(member, target, now))
    return moved


def withdraw(member: Member, transfer: Transfer, now: datetime) -> None:
    """Withdraw a pending transfer; the students stay at their school.

    Raises:
        InvalidTransfer: It isn't pending.
    """
    with transaction.atomic():
        pending = _lock_pending(member, transfer)
        Transfer.objects.filter(pk=pending.pk).update(
            state=TransferState.WITHDRAWN, closed_by=member, closed_at=now
        )


def reverse_transfer(member: Member, transfer: Transfer, now: datetime) -> Transfer:
    """Move the students of a transfer who are still at the target back to the source.

    This is another transfer: their previous groups and staff are not restored.

    Raises:
        InvalidTransfer: A school was closed or isn't one of the member's, or no student is at the
            target.
    """
    if not may_reverse(member, transfer) or transfer.source is None or transfer.target is None:
        raise InvalidTransfer(
            ["it can't be moved back: both schools must still exist and be among your schools"]
        )
    pks = _keys(transfer.students.all())
    selection = TransferSelection(transfer.target_name, transfer.target, pks)
    return move(member, selection, transfer.source, now)


def may_complete(member: Member) -> bool:
    """Return whether the member may complete requested transfers."""
    return member.role.is_district_wide


def may_reverse(member: Member, transfer: Transfer) -> bool:
    """Return whether it's completed, and both schools still exist and are the member's."""
    own_schools = {school.pk for school in visibility.schools(member)}
    is_completed = transfer.state == TransferState.COMPLETED
    return is_completed and {transfer.source_id, transfer.target_id} <= own_schools


def visible(member: Member) -> QuerySet[Transfer]:
    """Return the transfers from and to the member's schools, newest first.

    Each has one more attribute, ``moving``: the number of its students.
    """
    transfers = Transfer.objects.filter(district=member.district_id).select_related(
        "source", "target", "requested_by", "closed_by"
    )
    if not member.role.is_district_wide:
        schools = visibility.schools(member)
        transfers = transfers.filter(Q(source__in=schools) | Q(target__in=schools))
    return transfers.annotate(moving=Count("students")).order_by("-requested_at", "-pk")


def count_pending(member: Member) -> int:
    """Return how many pending transfers the member may complete."""
    if not may_complete(member):
        return 0
    return Transfer.objects.filter(district=member.district_id, state=TransferState.PENDING).count()


def _keys(students: QuerySet[Student]) -> tuple[int, ...]:
    return tuple(students.order_by("pk").values_list("pk", flat=True))


def _require_own_schools(member: Member, *schools: School) -> None:
    """Check that these are different schools of the member."""
    own_schools = {school.pk for school in visibility.schools(member)}
    reasons = [
        f"{school.name} isn't one of your schools; ask the district to move the students instead"
        for school in schools
        if school.pk not in own_schools
    ]
    if reasons:
        raise InvalidTransfer(reasons)
    if len({school.pk for school in schools}) < len(schools):
        raise InvalidTransfer(["they are already at that school"])


def _students_at(member: Member, school: School, pks: Collection[int]) -> list[int]:
    """Return those of the students who are at the school now.

    Raises:
        InvalidTransfer: None is.
    """
    selected = set(pks)
    at_school = _keys(visibility.visible_students(member).filter(school=school))
    still_there = [pk for pk in at_school if pk in selected]
    if not still_there:
        raise InvalidTransfer([f"none of them is at {school.name}"])
    return still_there


def _lock_pending(member: Member, transfer: Transfer) -> Transfer:
    """Lock a pending transfer until the caller's transaction ends, and return it as it is now.

    Raises:
        InvalidTransfer: It isn't pending.
    """
    Transfer.objects.select_for_update(no_key=True).get(pk=transfer.pk)
    current = visible(member).filter(pk=transfer.pk).first()
    if current is None or current.state != TransferState.PENDING:
        raise InvalidTransfer(["it's no longer pending"])
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
    member: Member, source: School, pks: list[int], now: datetime, fields: dict[str, object]
) -> Transfer:
    transfer = Transfer.objects.create(
        district=member.district,
        source=source,
        source_name=source.name,
        requested_by=member,
        requested_at=now,
        **fields,
    )
    through = Transfer.students.through
    through.objects.bulk_create(
        [through(transfer_id=transfer.pk, student_id=pk) for pk in pks], batch_size=500
    )
    return transfer
