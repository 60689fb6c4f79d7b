"""Edits of students by members, limited to the students they may see."""

from datetime import UTC, datetime

import pytest

from rollbook.accounts.models import Member
from rollbook.districts.models import District, School
from rollbook.students.manual import edits_by_member
from rollbook.students.manual.edits import InvalidStudent
from rollbook.students.manual.edits_by_member import StudentNotVisible
from rollbook.students.models import Change, Student
from rollbook.students.passwords import verify
from tests.conftest import make_member
from tests.students.manual.test_edits import ANA, key
from tests.updates.night import a_class, column_of, enroll, history, password_of, students

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)


@pytest.fixture
def head(maple: District) -> Member:
    """The school manager of School 100."""
    member = make_member(maple, "head@maple.example", "school manager")
    member.schools.set(School.objects.filter(district=maple, organization_id="100"))
    return member


@pytest.fixture(autouse=True)
def enrolled(maple: District) -> None:
    enroll(maple, a_class(2))
    enroll(maple, "STUDENT_ID,FIRST_NAME,LAST_NAME,DOB,SCHOOL_ID\nz,Zoe,Park,2012-05-13,200\n")


def test_a_school_manager_adds_students_to_own_schools_only(head: Member, maple: District) -> None:
    edits_by_member.add(head, ANA, NOW)
    assert students(maple)["abrook"]["SCHOOL_ID"] == "100"
    with pytest.raises(InvalidStudent) as caught:
        edits_by_member.add(head, {**ANA, "FIRST_NAME": "Bea", "SCHOOL_ID": "200"}, NOW)
    assert [problem.code for problem in caught.value.problems] == ["unknown_school"]


def test_a_school_manager_changes_students_of_own_schools_only(
    head: Member, maple: District
) -> None:
    edits_by_member.edit(head, key(maple, "s000"), {"GRADE": "5"}, None, NOW)
    assert Change.objects.get(field="GRADE").member == head
    for action in (
        lambda: edits_by_member.edit(head, key(maple, "z"), {"GRADE": "5"}, None, NOW),
        lambda: edits_by_member.set_status(head, key(maple, "z"), "inactive", NOW),
        lambda: edits_by_member.new_password(head, key(maple, "z"), NOW),
    ):
        with pytest.raises(StudentNotVisible):
            action()


def test_students_of_another_district_cannot_be_changed(neighbor: Member, maple: District) -> None:
    with pytest.raises(StudentNotVisible):
        edits_by_member.edit(neighbor, key(maple, "s000"), {"GRADE": "5"}, None, NOW)


def test_an_edit_changes_neither_school_nor_status(manager: Member, maple: District) -> None:
    edits_by_member.edit(
        manager, key(maple, "s000"), {"SCHOOL_ID": "200", "STATUS": "inactive"}, None, NOW
    )
    assert column_of(maple, "SCHOOL_ID")["s000"] == "100"
    assert column_of(maple, "STATUS")["s000"] == "active"


def test_a_student_is_deactivated_and_reactivated(manager: Member, maple: District) -> None:
    edits_by_member.set_status(manager, key(maple, "s000"), "inactive", NOW)
    edits_by_member.set_status(manager, key(maple, "s000"), "active", NOW)
    assert history(maple, "s000")[1:] == [
        ("STATUS", "active", "inactive"),
        ("STATUS", "inactive", "active"),
    ]


def test_a_new_password_replaces_the_previous_one(manager: Member, maple: District) -> None:
    first = edits_by_member.new_password(manager, key(maple, "s000"), NOW)
    second = edits_by_member.new_password(manager, key(maple, "s000"), NOW)
    assert not verify(password_of(maple, "s000"), first)
    assert verify(password_of(maple, "s000"), second)
    assert second not in str(list(Change.objects.values_list("old", "new")))


def test_a_birth_date_is_compared_with_the_date_in_the_district(
    manager: Member, maple: District
) -> None:
    """In Chicago it is still the 23rd."""
    with pytest.raises(InvalidStudent) as caught:
        edits_by_member.add(
            manager, {**ANA, "DOB": "11/24/2026"}, datetime(2026, 11, 24, 3, tzinfo=UTC)
        )
    assert [problem.code for problem in caught.value.problems] == ["future_date"]
    assert Student.objects.count() == 3
