"""Test /groups: the groups that a member sees, and changing them."""

import pytest

from rollbook.accounts.models import AuditEvent, Member
from rollbook.districts.models import District, School
from rollbook.students.models import Group, Student
from tests.updates.night import a_class, column_of, enroll
from tests.web.pages.conftest import SignedIn, Visitor
from tests.web.pages.reading import read


@pytest.fixture
def browser(visitor: SignedIn, manager: Member) -> Visitor:
    """The district manager's."""
    return visitor(manager)


@pytest.fixture
def band(maple: District, cedar: District) -> Group:
    enroll(maple, a_class(3, GROUPS="Band"))
    enroll(cedar, a_class(1, GROUPS="Cedar's"))
    return Group.objects.get(name="Band")


def test_groups_are_listed_with_their_students(browser: Visitor, band: Group) -> None:
    page = browser.read("/groups")
    assert page.rows == [["Band", "School 100", "3", "0"]]
    assert "Groups" in page.navigation


def test_an_instructor_sees_the_groups_of_their_students(
    visitor: SignedIn, band: Group, instructor: Member
) -> None:
    Student.objects.get(student_id="s001").staff.add(instructor)
    browser = visitor(instructor)
    page = browser.read("/groups")
    assert page.rows == [["Band", "School 100", "1", "0"]]
    assert "Add group" not in page.links
    page = browser.read(f"/groups/{band.pk}")
    assert [row[0] for row in page.rows] == ["Lee001, Ann001"]
    assert page.actions == []
    assert browser.post(f"/groups/{band.pk}/remove").status_code == 403


def test_a_group_is_added(browser: Visitor, maple: District) -> None:
    page = browser.follow(browser.post("/groups/new", {"school": "200", "name": "Chess"}))
    assert page.messages == ["Chess added at School 200."]
    response = browser.post("/groups/new", {"school": "200", "name": "chess"})
    assert response.status_code == 422
    assert "School 200 already has a group 'chess'; choose another name." in read(
        response
    ).described("name")
    assert browser.post("/groups/new", {"school": "999", "name": "Chess"}).status_code == 422


def test_a_group_is_renamed(browser: Visitor, band: Group, maple: District) -> None:
    page = browser.follow(browser.post(f"/groups/{band.pk}/rename", {"name": "Orchestra"}))
    assert page.messages == ["Band renamed to Orchestra."]
    assert set(column_of(maple, "GROUPS").values()) == {"Orchestra"}
    response = browser.post(f"/groups/{band.pk}/rename", {"name": "a &amp; b"})
    assert response.status_code == 422
    assert "A value is damaged" in read(response).described("name")


def test_students_are_added_by_id_or_username(
    browser: Visitor, band: Group, maple: District
) -> None:
    chess = Group.objects.create(school=band.school, name="Chess", name_key="chess")
    page = browser.follow(
        browser.post(f"/groups/{chess.pk}/put-in", {"students": "s000\r\nU001\r\n\r\n"})
    )
    assert page.messages == ["2 students added to Chess."]
    assert column_of(maple, "GROUPS") == {
        "s000": "Band&Chess",
        "s001": "Band&Chess",
        "s002": "Band",
    }


def test_if_one_is_unknown_no_student_is_added(
    browser: Visitor, band: Group, maple: District
) -> None:
    enroll(maple, "STUDENT_ID,FIRST_NAME,LAST_NAME,DOB,SCHOOL_ID\nz,Zoe,Park,2012-05-13,200\n")
    response = browser.post(f"/groups/{band.pk}/put-in", {"students": "s000 z s999"})
    page = read(response)
    assert response.status_code == 422
    assert (
        "These students aren’t at the school: z, s999. No students were added to the group."
        in page.described("students")
    )
    assert page.form_with("students").values["students"] == ["s000 z s999"]


def test_selected_students_are_removed(browser: Visitor, band: Group, maple: District) -> None:
    ours = Student.objects.get(student_id="s001", district=maple)
    theirs = Student.objects.get(district__slug="cedar-county")
    page = browser.follow(
        browser.post(f"/groups/{band.pk}/take-out", {"student": [ours.pk, theirs.pk, "x"]})
    )
    assert page.messages == ["1 student removed from Band."]
    assert column_of(maple, "GROUPS") == {"s000": "Band", "s001": "Default", "s002": "Band"}
    assert column_of(theirs.district, "GROUPS") == {"s000": "Cedar's"}


def test_a_group_is_deleted_and_default_is_not(
    browser: Visitor, band: Group, maple: District
) -> None:
    page = browser.follow(browser.confirm(f"/groups/{band.pk}/remove"))
    assert page.messages == [
        "Band deleted. Students who were in no other group are now in Default."
    ]
    default = Group.objects.get(
        name="Default", school=School.objects.get(district=maple, organization_id="100")
    )
    page = browser.follow(browser.confirm(f"/groups/{default.pk}/remove"))
    assert page.messages == [
        "Default was not deleted: Default is for students without another group, "
        "so it can't be removed."
    ]
    assert f"/groups/{default.pk}/rename" not in page.actions
    assert AuditEvent.objects.get(action="remove group").detail == f"group {band.pk}"
