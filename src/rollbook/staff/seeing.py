"""Which students a member may see; whatever shows students begins with these."""

from django.db.models import QuerySet

from rollbook.database.unindexed import Unindexed
from rollbook.roster.models import Student
from rollbook.staff.models import Member
from rollbook.staff.permissions import Permission


def students(member: Member) -> QuerySet[Student]:
    """The district's, those of the member's schools, or those linked to the member; never another district's."""
    ours = Student.objects.alias(whose=Unindexed("district")).filter(whose=member.district_id)
    if member.may(Permission.SEE_DISTRICT):
        return ours
    if member.may(Permission.SEE_SCHOOLS):
        return ours.filter(school__in=member.schools.all())
    if member.may(Permission.SEE_OWN_STUDENTS):
        return ours.filter(staff=member)
    return ours.none()
