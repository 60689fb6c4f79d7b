"""Which students, groups and schools a member may see; everything that shows students uses this."""

from django.db.models import QuerySet

from rollbook.accounts.models import Member
from rollbook.accounts.permissions import Permission, RoleType
from rollbook.db.unindexed import Unindexed
from rollbook.districts.models import School
from rollbook.students.models import Group, Student


def visible_students(member: Member) -> QuerySet[Student]:
    """Return the students that a member may see.

    These are the students of the district, of the member's schools, or those at these schools who
    are linked to the member, depending on the role; never those of another district.
    """
    students = Student.objects.alias(owner=Unindexed("district")).filter(owner=member.district_id)
    if not member.may(Permission.SEE_STUDENTS):
        return students.none()
    if member.role.is_district_wide:
        return students
    if member.role.type == RoleType.SCHOOL_MANAGER:
        return students.filter(school__in=member.schools.all())
    return students.filter(staff=member, school__in=member.schools.all())


def student(member: Member, key: int) -> Student | None:
    """Return a student with the school but without the password, or None if not visible."""
    students = visible_students(member).select_related("school").defer("password")
    return students.filter(pk=key).first()


def schools(member: Member) -> QuerySet[School]:
    """Return the schools of the district, or those that the member is assigned to, by name."""
    schools = School.objects.filter(district=member.district_id)
    if not member.role.is_district_wide:
        schools = schools.filter(pk__in=member.schools.all())
    return schools.order_by("name", "organization_id")


def groups(member: Member) -> QuerySet[Group]:
    """Return the groups that a member may see, by school and name.

    These are the groups of the member's schools; for an instructor, the groups of the students who
    are linked to the instructor.
    """
    if not member.may(Permission.SEE_STUDENTS):
        return Group.objects.none()
    groups = Group.objects.filter(school__in=schools(member))
    if member.role.type == RoleType.INSTRUCTOR:
        memberships = Student.groups.through.objects
        visible = memberships.filter(student__in=visible_students(member))
        groups = Group.objects.filter(pk__in=visible.values("group"))
    return groups.select_related("school").order_by(
        "school__name", "school__organization_id", "name_key"
    )
