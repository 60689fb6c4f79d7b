"""The permissions of each type of role, and of their members."""

import pytest

from rollbook.accounts import roles
from rollbook.accounts.models import Member, Role
from rollbook.accounts.permissions import (
    ASSIGNED_BY,
    NEEDS,
    PERMISSION_DESCRIPTIONS,
    POSSIBLE_PERMISSIONS,
    Permission,
    RoleType,
    needed_by,
)
from rollbook.districts.models import District


@pytest.mark.parametrize(
    ("type_", "is_allowed"), [(RoleType.DISTRICT_MANAGER, True), (RoleType.SCHOOL_MANAGER, False)]
)
def test_only_district_wide_roles_can_update_students(type_: RoleType, is_allowed: bool) -> None:
    assert (Permission.UPDATE_STUDENTS in POSSIBLE_PERMISSIONS[type_]) == is_allowed


def test_all_types_have_permissions_and_their_meanings() -> None:
    assert set(POSSIBLE_PERMISSIONS) == set(ASSIGNED_BY) == set(RoleType)
    assert {type_: set(meanings) for type_, meanings in PERMISSION_DESCRIPTIONS.items()} == {
        type_: set(possible) for type_, possible in POSSIBLE_PERMISSIONS.items()
    }


def test_no_type_can_assign_a_higher_type() -> None:
    order = list(RoleType)
    assert all(
        order.index(given) >= order.index(by)
        for by, types in ASSIGNED_BY.items()
        for given in types
    )


def test_a_member_has_the_permissions_of_the_role(maple: District) -> None:
    role = Role(type="school manager", permissions=["see students"])
    assert Member(role=role).may(Permission.SEE_STUDENTS)
    assert not Member(role=role).may(Permission.MANAGE_STAFF)


def test_permissions_that_a_type_cannot_have_are_not_granted() -> None:
    role = Role(
        type="instructor", permissions=["update students", "see students", "of a later version"]
    )
    assert role.granted_permissions == {Permission.SEE_STUDENTS}


def test_the_standard_district_manager_always_has_all_permissions() -> None:
    role = Role(type="district manager", is_standard=True, permissions=[])
    assert role.granted_permissions == set(Permission)


def test_new_standard_roles_have_all_possible_permissions_but_instructors(
    maple: District,
) -> None:
    granted = {role.type: role.granted_permissions for role in roles.roles_of(maple)}
    assert granted.pop("instructor") == {Permission.SEE_STUDENTS}
    assert granted == {
        type_: set(POSSIBLE_PERMISSIONS[type_])
        for type_ in (RoleType.DISTRICT_MANAGER, RoleType.SCHOOL_MANAGER)
    }


@pytest.mark.statement("S38")
@pytest.mark.parametrize("permission", NEEDS)
def test_a_permission_has_no_effect_without_the_one_that_it_needs(permission: Permission) -> None:
    role = Role(type="district manager", permissions=[permission.value])
    assert role.granted_permissions == set()
    for needed in sorted(needed_by(permission) - {Permission.SEE_STUDENTS}):
        role.permissions.append(needed.value)
        assert role.granted_permissions == set()
    role.permissions.append(Permission.SEE_STUDENTS.value)
    assert role.granted_permissions == {permission, *needed_by(permission)}
