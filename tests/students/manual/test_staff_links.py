"""Links between staff and students end with the school or the role."""

import pytest

from rollbook.accounts.members import changes
from rollbook.accounts.models import Member
from rollbook.accounts.permissions import RoleType
from rollbook.accounts.roles import create_role
from rollbook.districts.models import District, School
from rollbook.students.models import Change, Student
from rollbook.students.visibility import visible_students
from tests.accounts.browser import NOW
from tests.conftest import make_member
from tests.updates.night import enroll, run

pytestmark = pytest.mark.statement("S20", "S23")

FILE = """
    STUDENT_ID,FIRST_NAME,LAST_NAME,DOB,SCHOOL_ID,STAFF
    1,Ana,Brook,2012-05-13,100,teacher@maple.example
    2,Ben,Cole,2012-05-13,200,teacher@maple.example&other@maple.example
"""


@pytest.fixture
def teacher(maple: District) -> Member:
    """An instructor of two schools, with a student at each."""
    teacher = make_member(maple, "teacher@maple.example", "instructor")
    make_member(maple, "other@maple.example", "instructor")
    teacher.schools.set(School.objects.filter(district=maple))
    enroll(maple, FILE)
    return teacher


def change(
    member: Member, by: Member | None = None, role: str = "instructor", *schools: str
) -> Member:
    """Change the role and the schools; both schools if none are given."""
    return changes.change(
        member,
        by,
        NOW,
        email=member.email,
        first_name="Ana",
        last_name="Ruiz",
        role=role,
        schools=schools or ("100", "200"),
    )


def ids(member: Member) -> list[str | None]:
    return list(visible_students(member).order_by("pk").values_list("student_id", flat=True))


def test_leaving_a_school_ends_the_links_there_for_good(teacher: Member, manager: Member) -> None:
    assert ids(teacher) == ["1", "2"]
    left = change(teacher, manager, "instructor", "100")
    assert ids(left) == ["1"]
    returned = change(left, manager)
    assert ids(returned) == ["1"]
    ben = Student.objects.get(student_id="2")
    assert [member.email for member in ben.staff.all()] == ["other@maple.example"]
    entry = Change.objects.latest("pk")
    assert (entry.student, entry.field, entry.old, entry.new, entry.member) == (
        ben,
        "STAFF",
        "other@maple.example&teacher@maple.example",
        "other@maple.example",
        manager,
    )


def test_another_type_of_role_ends_all_links(teacher: Member) -> None:
    head = change(teacher, None, "school manager")
    again = change(head)
    assert ids(again) == []
    assert not Student.objects.filter(staff=teacher).exists()


def test_a_student_who_changes_schools_by_a_file_is_no_longer_shown(
    teacher: Member, manager: Member
) -> None:
    change(teacher, manager, "instructor", "100")
    assert ids(teacher) == ["1"]
    run(teacher.district, "STUDENT_ID,SCHOOL_ID\n1,200")
    assert ids(teacher) == []
    assert ids(change(teacher, manager, "instructor", "100")) == []


def test_another_role_of_the_same_type_and_other_changes_keep_them(
    teacher: Member, manager: Member
) -> None:
    create_role(manager, RoleType.INSTRUCTOR, "Coach", "", teacher.role.granted_permissions)
    assert ids(change(teacher, manager, "Coach")) == ["1", "2"]
    assert not Change.objects.filter(field="STAFF", member=manager).exists()


def test_a_link_at_a_school_that_is_not_the_members_shows_nothing(teacher: Member) -> None:
    """A student file can link anybody."""
    teacher.schools.set(School.objects.filter(district=teacher.district, organization_id="200"))
    assert ids(teacher) == ["2"]
