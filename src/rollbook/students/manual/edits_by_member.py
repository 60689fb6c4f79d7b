"""Students by hand: what a member may do to one, within the schools that are his; who may is looked at in the same
transaction as what is done.
"""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from rollbook.accounts.models import Member
from rollbook.districts.local_dates import local_date
from rollbook.studentfile.problems.problem import Problem, printable_excerpt
from rollbook.students import passwords, visibility
from rollbook.students.manual import edits
from rollbook.students.manual.edits import AddResult, EditResult, InvalidStudent
from rollbook.students.writer import ChangeAuthor

NOT_EDITABLE = ("SCHOOL_ID", "STATUS")
"""Columns that ``edit`` does not take: a transfer moves links too, and a leaver is deactivated."""


class StudentNotVisible(Exception):
    """There is no such student for this member."""


def add(member: Member, said: Mapping[str, str], now: datetime) -> AddResult:
    """A new student at one of the member's schools. Raises StudentRefused with every problem."""
    with transaction.atomic():
        school = said.get("SCHOOL_ID", "")
        if school and not visibility.schools(member).filter(organization_id=school).exists():
            raise InvalidStudent(
                [Problem("unknown_school", column="SCHOOL_ID", found=printable_excerpt(school))]
            )
        return edits.add(
            member.district_id, said, author(member, now), local_date(member.district, now)
        )


def edit(
    member: Member, pk: int, said: Mapping[str, str], edition: int | None, now: datetime
) -> EditResult:
    """Another value for each column that the form has another text for. Raises StudentRefused and NotTheirs."""
    return _edit(
        member,
        pk,
        {name: text for name, text in said.items() if name not in NOT_EDITABLE},
        now,
        edition,
    )


def set_status(member: Member, pk: int, status: str, now: datetime) -> EditResult:
    """``inactive`` lets the student go, ``active`` takes him back. Raises NotTheirs."""
    return _edit(member, pk, {"STATUS": status}, now)


def new_password(member: Member, pk: int, now: datetime) -> str:
    """Another password that nobody knows yet; the one before is not good any more. Raises NotTheirs."""
    password = passwords.random_password()
    _edit(member, pk, {"PASSWORD": password}, now)
    return password


def author(member: Member, now: datetime) -> ChangeAuthor:
    """How the history names whoever did it."""
    return ChangeAuthor(None, member.pk, now)


def _edit(
    member: Member, pk: int, said: Mapping[str, str], now: datetime, edition: int | None = None
) -> EditResult:
    with transaction.atomic():
        _require(member, pk)
        return edits.edit(
            member.district_id,
            pk,
            said,
            author(member, now),
            local_date(member.district, now),
            edition,
        )


def _require(member: Member, pk: int) -> None:
    if not visibility.visible_students(member).filter(pk=pk).exists():
        raise StudentNotVisible
