"""Edits of students by a member, limited to the students and schools that the member may see.

The permission is checked in the same transaction as the edit.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from rollbook.accounts.models import Member
from rollbook.districts.local_dates import local_date
from rollbook.studentfile.problems.problem import Problem, printable_excerpt
from rollbook.students import passwords, visibility
from rollbook.students.manual import edits
from rollbook.students.manual.edits import AddResult, EditResult, InvalidStudent
from rollbook.students.writer import ChangeAuthor

NOT_EDITABLE = ("SCHOOL_ID", "STATUS")
"""Columns that ``edit`` ignores: use a transfer, which replaces links too, and ``set_status``."""

Versions = Mapping[int, int]
"""Students' IDs in the database to the versions that the member has seen."""


class StudentNotVisible(Exception):
    """The member may not see a student with this ID."""


def add(
    member: Member, fields: Mapping[str, str], now: datetime, *, is_confirmed: bool = False
) -> AddResult:
    """Add a student to one of the member's schools; see ``edits.add``.

    Raises:
        ConfirmationRequired: The student may be enrolled already; nothing was changed.
        InvalidStudent: The student can't be added; nothing was changed.
    """
    today = local_date(member.district, now)
    with transaction.atomic():
        school = fields.get("SCHOOL_ID", "")
        if school and not visibility.schools(member).filter(organization_id=school).exists():
            raise InvalidStudent(
                [Problem("unknown_school", column="SCHOOL_ID", found=printable_excerpt(school))]
            )
        return edits.add(
            member.district_id, fields, author(member, now), today, is_confirmed=is_confirmed
        )


def edit(
    member: Member,
    pk: int,
    fields: Mapping[str, str],
    version: int | None,
    now: datetime,
    *,
    is_confirmed: bool = False,
) -> EditResult:
    """Change a student; see ``edits.edit``.

    Raises:
        ConfirmationRequired: The student would resemble another one; nothing was changed.
        InvalidStudent: The student can't be changed; nothing was changed.
        StudentNotVisible: The member may not see the student.
    """
    editable = {name: text for name, text in fields.items() if name not in NOT_EDITABLE}
    return _edit(member, pk, editable, now, version=version, is_confirmed=is_confirmed)


def set_status(member: Member, pk: int, status: str, now: datetime) -> EditResult:
    """Set a student's status to ``active`` or ``inactive``.

    Raises:
        StudentNotVisible: The member may not see the student.
    """
    return _edit(member, pk, {"STATUS": status}, now)


def new_password(member: Member, pk: int, now: datetime, version: int | None = None) -> str:
    """Replace a student's password by a random one, and return it.

    Args:
        member: Who does it.
        pk: The student's ID in the database.
        now: The current time.
        version: The student's version when the member was asked, if they were.

    Raises:
        InvalidStudent: The student has another version now; nothing was changed.
        StudentNotVisible: The member may not see the student.
    """
    password = passwords.random_password()
    _edit(member, pk, {"PASSWORD": password}, now, version=version)
    return password


def set_statuses(member: Member, versions: Versions, status: str, now: datetime) -> int:
    """Set the status of several students, or of none of them; return how many changed.

    Raises:
        InvalidStudent: One of them has another version now; nothing was changed.
        StudentNotVisible: The member may not see one of them; nothing was changed.
    """
    changed = 0
    with transaction.atomic():
        for pk, version in sorted(versions.items()):
            edited = _edit(member, pk, {"STATUS": status}, now, version=version)
            changed += bool(edited.columns)
    return changed


def new_passwords(member: Member, versions: Versions, now: datetime) -> dict[int, str]:
    """Replace the passwords of several students, or of none of them.

    Returns:
        The student's ID in the database to the new password.

    Raises:
        InvalidStudent: One of them has another version now; nothing was changed.
        StudentNotVisible: The member may not see one of them; nothing was changed.
    """
    with transaction.atomic():
        by_key = sorted(versions.items())
        return {pk: new_password(member, pk, now, version) for pk, version in by_key}


def author(member: Member, now: datetime) -> ChangeAuthor:
    """Return the member as the author of changes."""
    return ChangeAuthor(None, member.pk, now)


def _edit(
    member: Member, pk: int, fields: Mapping[str, str], now: datetime, **options: Any
) -> EditResult:
    """Change a student; ``options`` are those of ``edits.edit``."""
    today = local_date(member.district, now)
    with transaction.atomic():
        _require_visible(member, pk)
        return edits.edit(member.district_id, pk, fields, author(member, now), today, **options)


def _require_visible(member: Member, pk: int) -> None:
    if not visibility.visible_students(member).filter(pk=pk).exists():
        raise StudentNotVisible
