"""Keep the links of a staff member with students in step when the member is changed.

They end when the schools or the type of role changes. Another email is a change of STAFF.

An instructor sees the students linked to them. Without this, somebody who leaves a school and
returns later would see the former students again.
"""

from datetime import datetime
from typing import Any

from rollbook.accounts.models import Member
from rollbook.studentfile.values.free_text import join_list, split_list
from rollbook.students import snapshots, writer
from rollbook.students.models import Student
from rollbook.students.writer import ChangeAuthor, StudentChange


def on_membership_changed(
    *,
    member: Member,
    old_email: str,
    is_other_type: bool,
    by: Member | None,
    now: datetime,
    **_: Any,
) -> None:
    """Handle the signal ``membership_changed`` of accounts."""
    if member.email != old_email:
        author = ChangeAuthor(None, by.pk if by else None, now)
        writer.record_new_email(member, old_email, author)
    end_links(member, by, now, of_all_schools=is_other_type)


def end_links(member: Member, by: Member | None, now: datetime, *, of_all_schools: bool) -> int:
    """Remove a member from the staff of students, in the caller's transaction.

    Args:
        member: The member after the change.
        by: Who changed the member; None: the operator.
        now: The time of the change.
        of_all_schools: Whether all links end; otherwise, those at schools that aren't the member's.

    Returns:
        The number of students who were linked.
    """
    linked = Student.objects.filter(staff=member)
    if not of_all_schools:
        linked = linked.exclude(school__in=member.schools.all())
    pks = list(linked.order_by("pk").values_list("pk", flat=True))
    snapshots.lock_versions(pks)
    changes = []
    for student in snapshots.load_with_links(pks).values():
        staff = [email for email in split_list(student.values["STAFF"]) if email != member.email]
        changes.append(StudentChange(student, {"STAFF": join_list(staff)}))
    author_id = by.pk if by else None
    author = ChangeAuthor(None, author_id, now)
    writer.apply_changes(member.district_id, changes, author)
    return len(changes)
