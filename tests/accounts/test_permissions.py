"""What each type of role can have, and what members may with it."""

import pytest

from rollbook.accounts import roles
from rollbook.accounts.models import Member, Role
from rollbook.accounts.permissions import ASSIGNED_BY, MEANINGS, POSSIBLE, Permission, RoleType
from rollbook.districts.models import District


@pytest.mark.parametrize(
    ("type_", "is_allowed"), [(RoleType.DISTRICT_MANAGER, True), (RoleType.SCHOOL_MANAGER, False)]
)
def test_only_roles_of_the_whole_district_can_update_students(
    type_: RoleType, is_allowed: bool
) -> None:
    assert (Permission.UPDATE_STUDENTS in POSSIBLE[type_]) == is_allowed


def test_every_type_has_its_permissions_written_down_with_what_they_mean() -> None:
    assert set(POSSIBLE) == set(ASSIGNED_BY) == set(RoleType)
    assert {type_: set(meanings) for type_, meanings in MEANINGS.items()} == {
        type_: set(possible) for type_, possible in POSSIBLE.items()
    }


def test_nobody_assigns_more_than_his_own_type() -> None:
    order = list(RoleType)
    assert all(
        order.index(given) >= order.index(by)
        for by, types in ASSIGNED_BY.items()
        for given in types
    )


def test_a_member_may_what_the_role_grants(maple: District) -> None:
    role = Role(type="school manager", permissions=["see students"])
    assert Member(role=role).may(Permission.SEE_STUDENTS)
    assert not Member(role=role).may(Permission.MANAGE_STAFF)


def test_what_a_type_cannot_have_is_not_granted_whatever_the_row_says() -> None:
    role = Role(
        type="instructor", permissions=["update students", "see students", "of a later version"]
    )
    assert role.granted == {Permission.SEE_STUDENTS}


def test_the_standard_district_manager_may_everything_whatever_the_row_says() -> None:
    role = Role(type="district manager", is_standard=True, permissions=[])
    assert role.granted == set(Permission)


def test_standard_roles_begin_with_all_that_they_can_have(maple: District) -> None:
    assert {role.type: role.granted for role in roles.of(maple)} == {
        type_: set(possible) for type_, possible in POSSIBLE.items()
    }
