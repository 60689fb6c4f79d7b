"""The roles of a district: made, changed and removed, and by whom they may be given."""

import pytest

from rollbook.accounts import roles
from rollbook.accounts.models import Member, Role
from rollbook.accounts.permissions import Permission, RoleType
from rollbook.accounts.roles import InvalidRole
from rollbook.districts.models import District
from tests.conftest import a_member

SEE, UPDATE = Permission.SEE_STUDENTS, Permission.UPDATE_STUDENTS
STAFF, ROLES = Permission.MANAGE_STAFF, Permission.MANAGE_ROLES


def an_assistant(by: Member, *permissions: Permission) -> Role:
    return roles.make(
        by, RoleType.DISTRICT_MANAGER, " Front  office ", "Answers the phone", permissions
    )


def test_a_role_is_usable_at_once(manager: Member) -> None:
    role = an_assistant(manager, SEE, STAFF)
    assert (role.name, role.description, role.is_district_wide) == (
        "Front office",
        "Answers the phone",
        True,
    )
    assert roles.named(manager.district, "FRONT OFFICE") == role
    assert role in roles.assignable(manager)
    member = a_member(manager.district, "desk@maple.example")
    Member.objects.filter(pk=member.pk).update(role=role)
    member = Member.objects.get(pk=member.pk)
    assert [each for each in Permission if member.may(each)] == [SEE, STAFF]


def test_a_change_counts_for_who_has_the_role_already(manager: Member) -> None:
    role = an_assistant(manager, SEE)
    member = a_member(manager.district, "desk@maple.example")
    Member.objects.filter(pk=member.pk).update(role=role)
    roles.change(role, manager, role.name, "", [SEE, UPDATE])
    assert Member.objects.get(pk=member.pk).may(UPDATE)


def test_a_standard_roles_change_leaves_custom_roles_of_its_type_alone(manager: Member) -> None:
    helper = roles.make(manager, RoleType.INSTRUCTOR, "Helper", "", [SEE])
    standard = roles.standard(manager.district, RoleType.INSTRUCTOR)
    roles.change(standard, manager, "another name", "another text", [])
    standard.refresh_from_db()
    helper.refresh_from_db()
    assert (standard.name, standard.description, standard.granted) == (
        "instructor",
        "",
        frozenset(),
    )
    assert helper.granted == {SEE}


def test_the_district_managers_role_stays_as_it_is(manager: Member) -> None:
    with pytest.raises(InvalidRole, match="cannot be changed"):
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
            "'school manager' is the name of a standard role; choose another one",
        ),
        ("front OFFICE", "", "there is a role 'front OFFICE' already; choose another name"),
        ("Desk", "x" * 201, "the description is longer than 200 characters"),
    ],
)
def test_names_and_texts_that_cannot_be(
    manager: Member, name: str, description: str, reason: str
) -> None:
    an_assistant(manager)
    with pytest.raises(InvalidRole) as caught:
        roles.make(manager, RoleType.INSTRUCTOR, name, description, [])
    assert reason in str(caught.value)
    assert Role.objects.filter(is_standard=False).count() == 1


def test_two_districts_may_call_their_roles_the_same(manager: Member, neighbour: Member) -> None:
    an_assistant(manager)
    an_assistant(neighbour)
    assert not roles.may_assign(
        neighbour, roles.named(manager.district, "front office") or neighbour.role
    )


def test_a_type_has_no_more_than_it_can_have(manager: Member) -> None:
    with pytest.raises(
        InvalidRole, match="a role of the type instructor cannot have 'update students'"
    ):
        roles.make(manager, RoleType.INSTRUCTOR, "Helper", "", [SEE, UPDATE])


class TestNobodyGivesWhatHeDoesNotHave:
    @pytest.fixture
    def clerk(self, manager: Member) -> Member:
        """May manage roles and staff, and cannot update students."""
        member = a_member(manager.district, "clerk@maple.example")
        member.role = roles.make(
            manager, RoleType.DISTRICT_MANAGER, "Clerk", "", [SEE, STAFF, ROLES]
        )
        member.save()
        return member

    def test_in_a_new_role(self, clerk: Member) -> None:
        with pytest.raises(
            InvalidRole, match="you may not update students yourself, so you cannot let others"
        ):
            an_assistant(clerk, SEE, UPDATE)

    def test_in_his_own(self, clerk: Member) -> None:
        with pytest.raises(InvalidRole, match="you may not update students"):
            roles.change(clerk.role, clerk, "Clerk", "", [SEE, STAFF, ROLES, UPDATE])

    def test_by_taking_it_from_others(self, clerk: Member, manager: Member) -> None:
        above = roles.make(manager, RoleType.DISTRICT_MANAGER, "Above", "", [UPDATE])
        for attempt in (
            lambda: roles.change(above, clerk, "Above", "", []),
            lambda: roles.remove(above, clerk),
        ):
            with pytest.raises(InvalidRole, match="Above may do more than you"):
                attempt()

    def test_to_a_member(self, clerk: Member) -> None:
        """Not the standard school manager's role either, which may edit students."""
        assert [role.name for role in roles.assignable(clerk)] == ["instructor", "Clerk"]


def test_a_school_manager_gives_the_roles_of_schools_only(maple: District) -> None:
    head = a_member(maple, "head@maple.example", "school manager")
    assert [role.name for role in roles.assignable(head)] == ["school manager", "instructor"]
    assert roles.assignable(a_member(maple, "teacher@maple.example", "instructor")) == []


def test_a_role_that_nobody_has_can_be_removed(manager: Member) -> None:
    role = an_assistant(manager, SEE)
    member = a_member(manager.district, "desk@maple.example")
    Member.objects.filter(pk=member.pk).update(role=role)
    with pytest.raises(
        InvalidRole, match="1 member has the role Front office; give them another one first"
    ):
        roles.remove(role, manager)
    Member.objects.filter(pk=member.pk).update(role=manager.role)
    roles.remove(role, manager)
    assert roles.named(manager.district, "Front office") is None


def test_standard_roles_stay(manager: Member) -> None:
    with pytest.raises(InvalidRole, match="instructor is a standard role and stays"):
        roles.remove(roles.standard(manager.district, RoleType.INSTRUCTOR), manager)


def test_every_role_is_listed_the_standard_ones_first_with_how_many_have_it(
    manager: Member,
) -> None:
    an_assistant(manager)
    assert [(role.name, role.members) for role in roles.of(manager.district)] == [  # type: ignore[attr-defined]
        ("district manager", 1),
        ("school manager", 0),
        ("instructor", 0),
        ("Front office", 0),
    ]
