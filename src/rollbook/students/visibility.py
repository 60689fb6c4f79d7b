"""Which students, groups and schools a member may see; whatever shows students begins with these."""

from django.db.models import QuerySet

from rollbook.accounts.models import Member
from rollbook.accounts.permissions import Permission, RoleType
from rollbook.db.unindexed import Unindexed
from rollbook.districts.models import School
from rollbook.students.models import Group, Student


def visible_students(member: Member) -> QuerySet[Student]:
    """The district's, those of the member's schools, or those linked to the member; never another district's."""
    ours = Student.objects.alias(whose=Unindexed("district")).filter(whose=member.district_id)
    if not member.may(Permission.SEE_STUDENTS):
        return ours.none()
    if member.role.is_district_wide:
        return ours
    if member.role.type == RoleType.SCHOOL_MANAGER:
        return ours.filter(school__in=member.schools.all())
    return ours.filter(staff=member)


def student(member: Member, key: int) -> Student | None:
    """The student with this key, with the school and without the password, if the member sees him."""
    return (
        visible_students(member).select_related("school").defer("password").filter(pk=key).first()
    )


def schools(member: Member) -> QuerySet[School]:
    """Where the member acts: the district's schools, or those that it covers; by name."""
    ours = School.objects.filter(district=member.district_id).order_by("name", "organization_id")
    return ours if member.role.is_district_wide else ours.filter(pk__in=member.schools.all())


def groups(member: Member) -> QuerySet[Group]:
    """The groups of the member's schools; of an instructor those in which students linked to him are."""
    if not member.may(Permission.SEE_STUDENTS):
        return Group.objects.none()
    ours = Group.objects.filter(school__in=schools(member))
    if member.role.type == RoleType.INSTRUCTOR:
        linked = Student.groups.through.objects.filter(student__in=visible_students(member))
        ours = Group.objects.filter(pk__in=linked.values("group"))
    return ours.select_related("school").order_by(
        "school__name", "school__organization_id", "name_key"
    )
