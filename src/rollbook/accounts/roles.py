"""The roles of a district: the three standard roles, and those that the district creates.

Members can create and assign only roles whose permissions they have themselves.
"""

from collections.abc import Iterable

from django.db import IntegrityError, transaction
from django.db.models import Count
from django.utils import timezone

from rollbook.accounts import notices
from rollbook.accounts.look_alikes import skeleton
from rollbook.accounts.models import Member, Role
from rollbook.accounts.notices import Notice
from rollbook.accounts.permissions import (
    ASSIGNED_BY,
    NEEDS,
    POSSIBLE_PERMISSIONS,
    STANDARD_PERMISSIONS,
    Permission,
    RoleType,
)
from rollbook.districts.models import District
from rollbook.validation import ValidationFailed, name_problems

MAX_NAME_LENGTH = 60
MAX_DESCRIPTION_LENGTH = 200


class InvalidRole(ValidationFailed):
    """The role isn't valid, or can't be changed or removed."""


def standard(district: District, type_: RoleType | str) -> Role:
    """Return the district's standard role of this type; create it if there is none."""
    type_ = RoleType(type_)
    role = Role.objects.filter(district=district, type=type_.value, is_standard=True).first()
    if role:  # a query first, since a write would wait for other writers
        return role
    defaults = {
        "name": type_.value,
        "name_key": key_of(type_.value),
        "permissions": _sorted_values(STANDARD_PERMISSIONS[type_]),
    }
    with transaction.atomic():
        role, _ = Role.objects.get_or_create(
            district=district, type=type_.value, is_standard=True, defaults=defaults
        )
    return role


def roles_of(district: District) -> list[Role]:
    """Return all roles of the district, standard roles first.

    Each has an attribute ``members`` with the number of members who have the role.
    """
    for type_ in RoleType:
        standard(district, type_)
    types = list(RoleType)
    roles = Role.objects.filter(district=district).annotate(members=Count("member"))
    return sorted(
        roles,
        key=lambda role: (not role.is_standard, types.index(RoleType(role.type)), role.name_key),
    )


def find_role(district: District, key: int) -> Role | None:
    """Return the district's role with this primary key, or None."""
    return Role.objects.filter(district=district, pk=key).first()


def find_by_name(district: District, name: str) -> Role | None:
    """Return the district's role with this name, ignoring case and repeated spaces, or None."""
    if key_of(name) in list(RoleType):
        return standard(district, key_of(name))
    return Role.objects.filter(district=district, name_key=key_of(name)).first()


def assignable(by: Member) -> list[Role]:
    """Return the roles that this member may assign to others."""
    return [role for role in roles_of(by.district) if may_assign(by, role)]


def may_assign(by: Member, role: Role) -> bool:
    """Return whether this member may assign the role to others, or remove it from them."""
    types = ASSIGNED_BY[RoleType(by.role.type)]
    return (
        role.district_id == by.district_id
        and role.type in types
        and role.granted_permissions <= by.role.granted_permissions
    )


def create_role(
    by: Member, type_: RoleType, name: str, description: str, permissions: Iterable[Permission]
) -> Role:
    """Create a role in this member's district.

    Raises:
        InvalidRole: With every reason why the role can't be created.
    """
    role = Role(district=by.district, type=type_.value)
    with transaction.atomic():
        _save(role, by, name, description, frozenset(permissions))
        _report(Notice.ROLE_ADDED, role, by)
    return role


def change(
    role: Role, by: Member, name: str, description: str, permissions: Iterable[Permission]
) -> Role:
    """Change the role, also for members who are signed in.

    Only the permissions of a standard role change; its name and description stay.

    Raises:
        InvalidRole: With every reason why the role can't be changed.
    """
    _require_within(role, by)
    if role.is_fixed:
        raise InvalidRole(
            [f"the role {role.name} can't be changed: one role needs to have all permissions"]
        )
    if role.is_standard:
        name, description = role.name, role.description
    with transaction.atomic():
        _save(role, by, name, description, frozenset(permissions))
        _report(Notice.PERMISSIONS_CHANGED, role, by)
    return role


def remove(role: Role, by: Member) -> None:
    """Remove the role.

    Raises:
        InvalidRole: It is a standard role, has more permissions than ``by``, or members have it.
    """
    if role.is_standard:
        raise InvalidRole([f"{role.name} is a standard role and can't be removed"])
    _require_within(role, by)
    with transaction.atomic():
        Role.objects.select_for_update().get(pk=role.pk)
        count = Member.objects.filter(role=role).count()
        if count:
            members = "1 member has" if count == 1 else f"{count:,} members have"
            raise InvalidRole([f"{members} the role {role.name}; assign them another role first"])
        role.delete()
        _report(Notice.ROLE_REMOVED, role, by)


def key_of(name: str) -> str:
    """Return the name in the form used for comparison: lower case, with single spaces."""
    return " ".join(name.split()).casefold()


def _report(notice: Notice, role: Role, by: Member) -> None:
    """Notify the other district managers of a change to a role."""
    notices.notify_managers(notice, timezone.now(), by.district, by=by, detail=role.name)


def _save(
    role: Role, by: Member, name: str, description: str, permissions: frozenset[Permission]
) -> None:
    role.name, role.name_key = " ".join(name.split()), key_of(name)
    role.description = " ".join(description.split())
    reasons = _permission_problems(role, permissions, by)
    if not role.is_standard:
        reasons = [*_text_problems(role), *reasons]
    if reasons:
        raise InvalidRole(reasons)
    role.permissions = _sorted_values(permissions)
    try:
        with transaction.atomic():
            if not role.is_standard:
                _require_distinct(role)
            role.save()
    except IntegrityError:
        raise InvalidRole([f"there is already a role '{role.name}'; choose another name"]) from None


def _require_distinct(role: Role) -> None:
    """Check that no other role's name looks the same; locks the district, so that none is added.

    Raises:
        InvalidRole: Another role's name does.
    """
    District.objects.select_for_update(no_key=True).get(pk=role.district_id)
    others = Role.objects.filter(district=role.district_id).exclude(pk=role.pk)
    names = [*others.values_list("name", flat=True), *RoleType]
    own = skeleton(role.name)
    for name in names:
        if skeleton(name) == own and key_of(name) != role.name_key:
            raise InvalidRole(
                [f"'{role.name}' looks like the name of the role '{name}'; choose another name"]
            )


def _require_within(role: Role, by: Member) -> None:
    if not role.granted_permissions <= by.role.granted_permissions:
        raise InvalidRole(
            [f"the role {role.name} has permissions that you don't have; ask a district manager"]
        )


def _permission_problems(role: Role, permissions: frozenset[Permission], by: Member) -> list[str]:
    impossible = permissions - set(POSSIBLE_PERMISSIONS[RoleType(role.type)])
    beyond = permissions - impossible - by.role.granted_permissions
    problems = [
        f"a role of type {role.type} can't have the permission '{each}'"
        for each in sorted(impossible)
    ]
    problems += [
        f"you don't have the permission '{each}', so you can't give it to others"
        for each in sorted(beyond)
    ]
    problems += [
        f"'{each}' needs '{NEEDS[each]}'; turn that on, too"
        for each in sorted(permissions & NEEDS.keys())
        if NEEDS[each] not in permissions
    ]
    return problems


def _sorted_values(permissions: Iterable[Permission]) -> list[str]:
    """Return the names of the permissions in the order of their definition."""
    included = frozenset(permissions)
    return [each.value for each in Permission if each in included]


def _text_problems(role: Role) -> list[str]:
    problems = name_problems("name", role.name, MAX_NAME_LENGTH)
    if not problems and role.name_key in list(RoleType):
        problems.append(f"'{role.name_key}' is the name of a standard role; choose another name")
    if len(role.description) > MAX_DESCRIPTION_LENGTH or not role.description.isprintable():
        problems.append(
            f"the description is longer than {MAX_DESCRIPTION_LENGTH} characters, or not on one"
            " line"
        )
    return problems
