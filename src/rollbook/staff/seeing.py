"""Which students a member may see; whatever shows students begins with these."""

from django.db.models import QuerySet

from rollbook.database.unindexed import Unindexed
from rollbook.roster.models import Student
from rollbook.staff.models import Member
from rollbook.staff.permissions import Permission, RoleType


def students(member: Member) -> QuerySet[Student]:
    """The district's, those of the member's schools, or those linked to the member; never another district's."""
    ours = Student.objects.alias(whose=Unindexed("district")).filter(whose=member.district_id)
    if not member.may(Permission.SEE_STUDENTS):
        return ours.none()
    if member.role.is_district_wide:
        return ours
    if member.role.type == RoleType.SCHOOL_MANAGER:
        return ours.filter(school__in=member.schools.all())
    return ours.filter(staff=member)
