"""The roles of a district: creating, changing, removing and assigning them."""

import pytest

from rollbook.accounts import roles
from rollbook.accounts.models import Member, Role
from rollbook.accounts.permissions import Permission, RoleType
from rollbook.accounts.roles import InvalidRole
from rollbook.districts.models import District
from tests.conftest import make_member

SEE, UPDATE = Permission.SEE_STUDENTS, Permission.UPDATE_STUDENTS
STAFF, ROLES = Permission.MANAGE_STAFF, Permission.MANAGE_ROLES


def an_assistant(by: Member, *permissions: Permission) -> Role:
    return roles.create_role(
        by, RoleType.DISTRICT_MANAGER, " Front  office ", "Answers the phone", permissions
    )


def test_a_new_role_can_be_assigned(manager: Member) -> None:
    role = an_assistant(manager, SEE, STAFF)
    assert (role.name, role.description, role.is_district_wide) == (
        "Front office",
        "Answers the phone",
        True,
    )
    assert roles.find_by_name(manager.district, "FRONT OFFICE") == role
    assert role in roles.assignable(manager)
    member = make_member(manager.district, "desk@maple.example")
    Member.objects.filter(pk=member.pk).update(role=role)
    member = Member.objects.get(pk=member.pk)
    assert [each for each in Permission if member.may(each)] == [SEE, STAFF]


def test_a_change_applies_to_members_who_have_the_role(manager: Member) -> None:
    role = an_assistant(manager, SEE)
    member = make_member(manager.district, "desk@maple.example")
    Member.objects.filter(pk=member.pk).update(role=role)
    roles.change(role, manager, role.name, "", [SEE, UPDATE])
    assert Member.objects.get(pk=member.pk).may(UPDATE)


def test_changing_a_standard_role_does_not_change_other_roles(manager: Member) -> None:
    helper = roles.create_role(manager, RoleType.INSTRUCTOR, "Helper", "", [SEE])
    standard = roles.standard(manager.district, RoleType.INSTRUCTOR)
    roles.change(standard, manager, "another name", "another text", [])
    standard.refresh_from_db()
    helper.refresh_from_db()
    assert (standard.name, standard.description, standard.granted_permissions) == (
        "instructor",
        "",
        frozenset(),
    )
    assert helper.granted_permissions == {SEE}


def test_the_standard_district_manager_role_cannot_be_changed(manager: Member) -> None:
    with pytest.raises(InvalidRole, match="can't be changed"):
        roles.change(manager.role, manager, manager.role.name, "", [SEE])


@pytest.mark.parametrize(
    ("name", "description", "reason"),
    [
        ("  ", "", "the name is missing"),
        ("x" * 61, "", "the name is missing, longer than 60 characters"),
        ("School\u202emanager", "", "not on one line"),
        (
            "SCHOOL  MANAGER",
            "",
            "'school manager' is the name of a standard role; choose another name",
        ),
        ("front OFFICE", "", "there is already a role 'front OFFICE'; choose another name"),
        ("Desk", "x" * 201, "the description is longer than 200 characters"),
    ],
)
def test_invalid_names_and_descriptions_are_rejected(
    manager: Member, name: str, description: str, reason: str
) -> None:
    an_assistant(manager)
    with pytest.raises(InvalidRole) as caught:
        roles.create_role(manager, RoleType.INSTRUCTOR, name, description, [])
    assert reason in str(caught.value)
    assert Role.objects.filter(is_standard=False).count() == 1


def test_two_districts_can_have_roles_with_the_same_name(manager: Member, neighbor: Member) -> None:
    an_assistant(manager)
    an_assistant(neighbor)
    assert not roles.may_assign(
        neighbor, roles.find_by_name(manager.district, "front office") or neighbor.role
    )


def test_a_role_cannot_have_permissions_beyond_its_type(manager: Member) -> None:
    with pytest.raises(
        InvalidRole, match="a role of type instructor can't have the permission 'update students'"
    ):
        roles.create_role(manager, RoleType.INSTRUCTOR, "Helper", "", [SEE, UPDATE])


class TestMembersCannotGivePermissionsTheyLack:
    @pytest.fixture
    def clerk(self, manager: Member) -> Member:
        """A member who manages roles and staff, but can't update students."""
        member = make_member(manager.district, "clerk@maple.example")
        member.role = roles.create_role(
            manager, RoleType.DISTRICT_MANAGER, "Clerk", "", [SEE, STAFF, ROLES]
        )
        member.save()
        return member

    def test_in_a_new_role(self, clerk: Member) -> None:
        with pytest.raises(
            InvalidRole,
            match="you don't have the permission 'update students', so you can't give it",
        ):
            an_assistant(clerk, SEE, UPDATE)

    def test_in_their_own_role(self, clerk: Member) -> None:
        with pytest.raises(InvalidRole, match="you don't have the permission 'update students'"):
            roles.change(clerk.role, clerk, "Clerk", "", [SEE, STAFF, ROLES, UPDATE])

    def test_by_removing_it_from_others(self, clerk: Member, manager: Member) -> None:
        above = roles.create_role(manager, RoleType.DISTRICT_MANAGER, "Above", "", [SEE, UPDATE])
        for attempt in (
            lambda: roles.change(above, clerk, "Above", "", []),
            lambda: roles.remove(above, clerk),
        ):
            with pytest.raises(
                InvalidRole, match="the role Above has permissions that you don't have"
            ):
                attempt()

    def test_to_a_member(self, clerk: Member) -> None:
        """Nor the standard school manager role, which includes editing students."""
        assert [role.name for role in roles.assignable(clerk)] == ["instructor", "Clerk"]


def test_a_school_manager_assigns_only_roles_with_schools(maple: District) -> None:
    head = make_member(maple, "head@maple.example", "school manager")
    assert [role.name for role in roles.assignable(head)] == ["school manager", "instructor"]
    assert roles.assignable(make_member(maple, "teacher@maple.example", "instructor")) == []


def test_a_role_without_members_can_be_removed(manager: Member) -> None:
    role = an_assistant(manager, SEE)
    member = make_member(manager.district, "desk@maple.example")
    Member.objects.filter(pk=member.pk).update(role=role)
    with pytest.raises(
        InvalidRole, match="1 member has the role Front office; assign them another role first"
    ):
        roles.remove(role, manager)
    Member.objects.filter(pk=member.pk).update(role=manager.role)
    roles.remove(role, manager)
    assert roles.find_by_name(manager.district, "Front office") is None


def test_standard_roles_cannot_be_removed(manager: Member) -> None:
    with pytest.raises(InvalidRole, match="instructor is a standard role and can't be removed"):
        roles.remove(roles.standard(manager.district, RoleType.INSTRUCTOR), manager)


def test_roles_are_listed_standard_first_with_member_counts(
    manager: Member,
) -> None:
    an_assistant(manager)
    assert [(role.name, role.members) for role in roles.roles_of(manager.district)] == [  # type: ignore[attr-defined]
        ("district manager", 1),
        ("school manager", 0),
        ("instructor", 0),
        ("Front office", 0),
    ]


class TestNamesThatLookAlike:
    @pytest.mark.parametrize(
        "name",
        [
            "School Manager.",
            "schoolmanager",
            "Schооl manager",
            "Sch00l manager",
            "Schoo1 Manager",
            "Schοol manager",
            "lnstructor",
            "Ｉnstructor",
            "Instructör",
            "Heiper",
            "HELPER!",
            "Неlреr",
        ],
    )
    def test_are_refused(self, manager: Member, name: str) -> None:
        roles.create_role(manager, RoleType.INSTRUCTOR, "Helper", "", [])
        with pytest.raises(InvalidRole, match="looks like the name of the role"):
            roles.create_role(manager, RoleType.INSTRUCTOR, name, "", [])

    def test_other_names_are_accepted(self, manager: Member) -> None:
        for name in ("Helper", "Helpers", "School helper", "Помощник", "Team 2", "Team 3"):
            role = roles.create_role(manager, RoleType.INSTRUCTOR, name, "", [])
            roles.change(role, manager, name.upper(), "", [])

    def test_a_role_may_look_like_one_of_another_district(
        self, manager: Member, cedar: District
    ) -> None:
        roles.create_role(manager, RoleType.INSTRUCTOR, "Helper", "", [])
        theirs = make_member(cedar, "ops@cedar.example")
        roles.create_role(theirs, RoleType.INSTRUCTOR, "He1per", "", [])
