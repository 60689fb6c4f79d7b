"""/roles: what members may do, switched on and off."""

import pytest

from rollbook.accounts import roles
from rollbook.accounts.models import AuditEvent, Member, Role
from rollbook.accounts.permissions import Permission, RoleType
from rollbook.districts.models import District
from tests.conftest import a_member
from tests.web.pages.conftest import SignedIn, Visitor
from tests.web.pages.reading import read


@pytest.fixture
def browser(visitor: SignedIn, manager: Member) -> Visitor:
    """The district manager's."""
    return visitor(manager)


@pytest.fixture
def helper(manager: Member) -> Role:
    return roles.make(
        manager, RoleType.INSTRUCTOR, "Helper", "Helps out", [Permission.SEE_STUDENTS]
    )


def test_every_role_is_listed_with_what_it_comes_to(browser: Visitor, helper: Role) -> None:
    page = browser.read("/roles")
    assert [row[0] for row in page.rows] == [
        "district manager",
        "school manager",
        "instructor",
        "HelperHelps out",
    ]
    assert page.rows[3][1:] == ["instructor", "sees the students linked to them", "0"]
    assert "district manager" not in page.links
    assert {"school manager", "Helper", "New role of the type instructor"} <= page.links.keys()


def test_a_role_is_made(browser: Visitor, maple: District) -> None:
    fields = {
        "name": "Registrar",
        "description": "Front desk",
        "permissions": ["see students", "edit students"],
    }
    page = browser.follow(browser.post("/roles/new/school-manager", fields))
    assert page.messages == ["The role Registrar can be given to members now."]
    made = Role.objects.get(name="Registrar")
    assert (made.district, made.type, made.permissions) == (
        maple,
        "school manager",
        ["see students", "edit students"],
    )
    detail = f"role {made.pk}: see students, edit students"
    assert AuditEvent.objects.get(action="make role").detail == detail


def test_what_a_type_cannot_have_is_not_offered_and_not_taken(browser: Visitor) -> None:
    page = browser.read("/roles/new/instructor")
    assert "pdates students by files" not in page.text
    response = browser.post(
        "/roles/new/instructor", {"name": "Helper", "permissions": ["update students"]}
    )
    assert response.status_code == 422
    assert not Role.objects.filter(name="Helper").exists()


def test_a_name_that_is_taken_is_told_and_nothing_is_lost(browser: Visitor, helper: Role) -> None:
    response = browser.post("/roles/new/school-manager", {"name": "HELPER", "description": "Again"})
    page = read(response)
    assert response.status_code == 422
    assert "There is a role 'HELPER' already; choose another name." in page.text
    assert page.form_with("name").values["description"] == ["Again"]


def test_a_role_is_changed_for_who_has_it(
    browser: Visitor, visitor: SignedIn, helper: Role, maple: District
) -> None:
    member = a_member(maple, "helper@maple.example", "instructor")
    Member.objects.filter(pk=member.pk).update(role=helper)
    theirs = visitor(member)
    assert theirs.get("/students").status_code == 200
    page = browser.follow(browser.post(f"/roles/{helper.pk}", {"name": "Aide", "description": ""}))
    assert page.messages == ["The role Aide is changed, for everybody who has it."]
    assert theirs.get("/students").status_code == 403


def test_of_a_standard_role_only_the_permissions_change(browser: Visitor, maple: District) -> None:
    role = roles.standard(maple, RoleType.SCHOOL_MANAGER)
    page = browser.read(f"/roles/{role.pk}")
    assert "name" not in page.form_with("permissions").fields
    browser.post(f"/roles/{role.pk}", {"name": "Boss", "permissions": ["see students"]})
    role.refresh_from_db()
    assert (role.name, role.permissions) == ("school manager", ["see students"])


def test_the_district_managers_role_stays_as_it_is(browser: Visitor, manager: Member) -> None:
    response = browser.post(f"/roles/{manager.role_id}", {"permissions": ["see students"]})
    assert response.status_code == 422
    assert "cannot be changed" in read(response).text


def test_a_role_is_removed_when_nobody_has_it(
    browser: Visitor, helper: Role, maple: District
) -> None:
    member = a_member(maple, "helper@maple.example", "instructor")
    Member.objects.filter(pk=member.pk).update(role=helper)
    page = browser.follow(browser.post(f"/roles/{helper.pk}/remove"))
    assert page.messages == [
        "Nothing was removed: 1 member has the role Helper; give them another one first."
    ]
    Member.objects.filter(pk=member.pk).update(role=member.role)
    page = browser.follow(browser.post(f"/roles/{helper.pk}/remove"))
    assert page.messages == ["There is no role Helper any more."]
    assert [
        event.result for event in AuditEvent.objects.filter(action="remove role").order_by("pk")
    ] == [
        "refused",
        "ok",
    ]


def test_a_type_there_is_not_is_not_found(browser: Visitor) -> None:
    assert browser.get("/roles/new/king").status_code == 404
