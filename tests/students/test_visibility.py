"""Which students a member may see."""

import pytest

from rollbook.accounts.models import Member
from rollbook.districts.models import District, School
from rollbook.students.models import Student
from rollbook.students.visibility import groups, schools, visible_students
from tests.conftest import make_member
from tests.updates.night import enroll

FILE = """
    STUDENT_ID,FIRST_NAME,LAST_NAME,DOB,SCHOOL_ID,STAFF
    1,Ana,Brook,2012-05-13,100,
    2,Ben,Cole,2012-05-13,200,teacher@maple.example
    3,Cy,Dunn,2012-05-13,100,teacher@maple.example
"""


@pytest.fixture
def teacher(maple: District) -> Member:
    teacher = make_member(maple, "teacher@maple.example", "instructor")
    teacher.schools.set(School.objects.filter(district=maple))
    return teacher


@pytest.fixture(autouse=True)
def enrolled(teacher: Member, cedar: District) -> None:
    enroll(teacher.district, FILE)
    enroll(cedar, FILE.replace("200", "900"))


def ids(member: Member) -> list[str | None]:
    return list(
        visible_students(member).order_by("student_id").values_list("student_id", flat=True)
    )


def test_a_district_manager_sees_students_of_the_district_only(manager: Member) -> None:
    assert ids(manager) == ["1", "2", "3"]
    assert {student.district_id for student in visible_students(manager)} == {manager.district_id}


@pytest.mark.statement("S23")
def test_a_school_manager_sees_students_of_the_assigned_schools(maple: District) -> None:
    head = make_member(maple, "head@maple.example", "school manager")
    assert ids(head) == []
    head.schools.set(School.objects.filter(district=maple, organization_id="100"))
    assert ids(head) == ["1", "3"]
    head.schools.set(School.objects.filter(district=maple))
    assert ids(head) == ["1", "2", "3"]


def test_an_instructor_sees_linked_students(teacher: Member) -> None:
    assert ids(teacher) == ["2", "3"]


def test_links_with_another_district_by_mistake_show_nothing(
    maple: District, cedar: District, teacher: Member
) -> None:
    head = make_member(maple, "head@maple.example", "school manager")
    head.schools.set(School.objects.filter(district=cedar))
    assert ids(head) == []
    for student in Student.objects.filter(district=cedar):
        student.staff.add(teacher)
    assert ids(teacher) == ["2", "3"]


def named(member: Member) -> list[tuple[str, str]]:
    return [(group.school.organization_id, group.name) for group in groups(member)]


def test_managers_see_groups_of_their_schools_instructors_of_their_students(
    manager: Member, teacher: Member, neighbor: Member
) -> None:
    enroll(
        manager.district, "STUDENT_ID,FIRST_NAME,LAST_NAME,DOB,GROUPS\n4,Di,Eck,2012-05-13,Band\n"
    )
    assert named(manager) == [("100", "Band"), ("100", "Default"), ("200", "Default")]
    head = make_member(manager.district, "head@maple.example", "school manager")
    head.schools.set(School.objects.filter(district=manager.district, organization_id="100"))
    assert named(head) == [("100", "Band"), ("100", "Default")]
    assert named(teacher) == [("100", "Default"), ("200", "Default")]
    assert named(neighbor) == [("100", "Default"), ("900", "Default")]
    head.role.permissions = ["manage groups"]
    assert named(head) == []


def test_the_schools_of_a_member_are_all_or_the_assigned_ones(
    manager: Member, teacher: Member
) -> None:
    assert [school.organization_id for school in schools(manager)] == ["100", "200"]
    assert [school.organization_id for school in schools(teacher)] == ["100", "200"]
    teacher.schools.clear()
    assert list(schools(teacher)) == []
