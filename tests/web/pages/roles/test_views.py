"""/roles: list, add, edit and remove roles, and turn their permissions on and off."""

import pytest

from rollbook.accounts import roles
from rollbook.accounts.models import AuditEvent, Member, Role
from rollbook.accounts.permissions import Permission, RoleType
from rollbook.districts.models import District
from tests.conftest import make_member
from tests.web.pages.conftest import SignedIn, Visitor
from tests.web.pages.reading import read


@pytest.fixture
def browser(visitor: SignedIn, manager: Member) -> Visitor:
    """Return the browser of the district manager."""
    return visitor(manager)


@pytest.fixture
def helper(manager: Member) -> Role:
    return roles.create_role(
        manager, RoleType.INSTRUCTOR, "Helper", "Helps out", [Permission.SEE_STUDENTS]
    )


def test_every_role_is_listed_with_its_permissions(browser: Visitor, helper: Role) -> None:
    page = browser.read("/roles")
    assert [row[0] for row in page.rows] == [
        "district manager",
        "school manager",
        "instructor",
        "HelperHelps out",
    ]
    assert page.rows[3][1:] == ["instructor", "sees the students linked to them", "0"]
    assert "district manager" not in page.links
    assert {"school manager", "Helper", "Add instructor role"} <= page.links.keys()


def test_a_role_is_added(browser: Visitor, maple: District) -> None:
    fields = {
        "name": "Registrar",
        "description": "Front desk",
        "permissions": ["see students", "edit students"],
    }
    page = browser.follow(browser.post("/roles/new/school-manager", fields))
    assert page.messages == ["Role added: Registrar. You can now assign it to staff members."]
    role = Role.objects.get(name="Registrar")
    assert (role.district, role.type, role.permissions) == (
        maple,
        "school manager",
        ["see students", "edit students"],
    )
    detail = f"role {role.pk}: see students, edit students"
    assert AuditEvent.objects.get(action="add role").detail == detail


def test_permissions_the_type_cannot_have_are_not_offered_and_not_accepted(
    browser: Visitor,
) -> None:
    page = browser.read("/roles/new/instructor")
    assert "pdates students from files" not in page.text
    response = browser.post(
        "/roles/new/instructor", {"name": "Helper", "permissions": ["update students"]}
    )
    assert response.status_code == 422
    assert not Role.objects.filter(name="Helper").exists()


def test_a_name_in_use_is_reported_and_the_form_keeps_its_values(
    browser: Visitor, helper: Role
) -> None:
    response = browser.post("/roles/new/school-manager", {"name": "HELPER", "description": "Again"})
    page = read(response)
    assert response.status_code == 422
    assert "There is already a role 'HELPER'; choose another name." in page.text
    assert page.form_with("name").values["description"] == ["Again"]


def test_a_change_applies_to_members_with_the_role(
    browser: Visitor, visitor: SignedIn, helper: Role, maple: District
) -> None:
    member = make_member(maple, "helper@maple.example", "instructor")
    Member.objects.filter(pk=member.pk).update(role=helper)
    helper_browser = visitor(member)
    assert helper_browser.get("/students").status_code == 200
    page = browser.follow(browser.post(f"/roles/{helper.pk}", {"name": "Aide", "description": ""}))
    assert page.messages == ["Role saved: Aide. The change applies to everyone who has it."]
    assert helper_browser.get("/students").status_code == 403


def test_only_the_permissions_of_a_standard_role_change(browser: Visitor, maple: District) -> None:
    role = roles.standard(maple, RoleType.SCHOOL_MANAGER)
    page = browser.read(f"/roles/{role.pk}")
    assert "name" not in page.form_with("permissions").fields
    browser.post(f"/roles/{role.pk}", {"name": "Boss", "permissions": ["see students"]})
    role.refresh_from_db()
    assert (role.name, role.permissions) == ("school manager", ["see students"])


def test_the_district_managers_role_cannot_be_changed(browser: Visitor, manager: Member) -> None:
    response = browser.post(f"/roles/{manager.role_id}", {"permissions": ["see students"]})
    assert response.status_code == 422
    assert "can't be changed" in read(response).text


def test_a_role_is_removed_when_no_member_has_it(
    browser: Visitor, helper: Role, maple: District
) -> None:
    member = make_member(maple, "helper@maple.example", "instructor")
    Member.objects.filter(pk=member.pk).update(role=helper)
    page = browser.follow(browser.confirm(f"/roles/{helper.pk}/remove"))
    assert page.messages == [
        "The role wasn’t removed: 1 member has the role Helper; assign them another role first."
    ]
    Member.objects.filter(pk=member.pk).update(role=member.role)
    page = browser.follow(browser.confirm(f"/roles/{helper.pk}/remove"))
    assert page.messages == ["Role removed: Helper."]
    events = AuditEvent.objects.filter(action="remove role").order_by("pk")
    assert [event.result for event in events] == ["refused", "ok"]


def test_an_unknown_type_is_not_found(browser: Visitor) -> None:
    assert browser.get("/roles/new/king").status_code == 404
