"""The roles of a district: the three standard ones, and those that it makes for itself.

Nobody gives what he does not have: a role with more permissions than one's own is neither made nor given.
"""

from collections.abc import Iterable

from django.db import IntegrityError, transaction
from django.db.models import Count

from rollbook.accounts.models import Member, Role
from rollbook.accounts.permissions import ASSIGNED_BY, POSSIBLE, Permission, RoleType
from rollbook.districts.models import District
from rollbook.validation import ValidationFailed, name_problems

LONGEST_NAME = 60
LONGEST_DESCRIPTION = 200


class InvalidRole(ValidationFailed):
    """This cannot be a role, or be done with it."""


def standard(district: District, type_: RoleType | str) -> Role:
    """The district's standard role of this type, with all that it can have if it is new."""
    type_ = RoleType(type_)
    known = Role.objects.filter(district=district, type=type_.value, is_standard=True).first()
    if known:  # to look for it first is to wait for no writer
        return known
    facts = {
        "name": type_.value,
        "name_key": key_of(type_.value),
        "permissions": _listed(POSSIBLE[type_]),
    }
    with transaction.atomic():
        role, _ = Role.objects.get_or_create(
            district=district, type=type_.value, is_standard=True, defaults=facts
        )
    return role


def of(district: District) -> list[Role]:
    """Every role of the district, the standard ones first; each has ``members``, how many have it."""
    for type_ in RoleType:
        standard(district, type_)
    types = list(RoleType)
    roles = Role.objects.filter(district=district).annotate(members=Count("member"))
    return sorted(
        roles,
        key=lambda role: (not role.is_standard, types.index(RoleType(role.type)), role.name_key),
    )


def found(district: District, key: int) -> Role | None:
    """The role of this key, if it is one of this district."""
    return Role.objects.filter(district=district, pk=key).first()


def named(district: District, name: str) -> Role | None:
    """The district's role of this name, however it is written in capitals."""
    if key_of(name) in list(RoleType):
        return standard(district, key_of(name))
    return Role.objects.filter(district=district, name_key=key_of(name)).first()


def assignable(by: Member) -> list[Role]:
    """The roles that this member may give to others."""
    return [role for role in of(by.district) if may_assign(by, role)]


def may_assign(by: Member, role: Role) -> bool:
    """Whether this member may give this role to others, or take it from them."""
    types = ASSIGNED_BY[RoleType(by.role.type)]
    return (
        role.district_id == by.district_id
        and role.type in types
        and role.granted <= by.role.granted
    )


def make(
    by: Member, type_: RoleType, name: str, description: str, permissions: Iterable[Permission]
) -> Role:
    """A new role in this member's district. Raises RoleRefused with every reason."""
    role = Role(district=by.district, type=type_.value)
    return _keep(role, by, name, description, frozenset(permissions))


def change(
    role: Role, by: Member, name: str, description: str, permissions: Iterable[Permission]
) -> Role:
    """The role is so from now on, also for those who are signed in. Of a standard one only the permissions change.

    Raises RoleRefused with every reason.
    """
    _require_within(role, by)
    if role.is_fixed:
        raise InvalidRole(
            [f"{role.name} cannot be changed: somebody must be able to do everything"]
        )
    if role.is_standard:
        name, description = role.name, role.description
    return _keep(role, by, name, description, frozenset(permissions))


def remove(role: Role, by: Member) -> None:
    """There is no such role any more. Raises RoleRefused while anybody has it."""
    if role.is_standard:
        raise InvalidRole([f"{role.name} is a standard role and stays"])
    _require_within(role, by)
    with transaction.atomic():
        Role.objects.select_for_update().get(pk=role.pk)
        members = Member.objects.filter(role=role).count()
        if members:
            raise InvalidRole([f"{members:,} {'member has' if members == 1 else 'members have'} the role {role.name}; "
                               "give them another one first"])  # fmt: skip
        role.delete()


def key_of(name: str) -> str:
    """The name as it is compared: spaces and capitals make no difference."""
    return " ".join(name.split()).casefold()


def _keep(
    role: Role, by: Member, name: str, description: str, permissions: frozenset[Permission]
) -> Role:
    role.name, role.name_key = " ".join(name.split()), key_of(name)
    role.description = " ".join(description.split())
    reasons = [
        *([] if role.is_standard else _text_problems(role)),
        *_permission_problems(role, permissions, by),
    ]
    if reasons:
        raise InvalidRole(reasons)
    role.permissions = _listed(permissions)
    try:
        with transaction.atomic():
            role.save()
    except IntegrityError:
        raise InvalidRole([f"there is a role '{role.name}' already; choose another name"]) from None
    return role


def _require_within(role: Role, by: Member) -> None:
    if not role.granted <= by.role.granted:
        raise InvalidRole([f"{role.name} may do more than you; ask a district manager"])


def _permission_problems(role: Role, permissions: frozenset[Permission], by: Member) -> list[str]:
    impossible = permissions - set(POSSIBLE[RoleType(role.type)])
    beyond = permissions - impossible - by.role.granted
    return [
        *(f"a role of the type {role.type} cannot have '{each}'" for each in sorted(impossible)),
        *(f"you may not {each} yourself, so you cannot let others" for each in sorted(beyond)),
    ]


def _listed(permissions: Iterable[Permission]) -> list[str]:
    kept = frozenset(permissions)
    return [each.value for each in Permission if each in kept]


def _text_problems(role: Role) -> list[str]:
    found = name_problems("name", role.name, LONGEST_NAME)
    if not found and role.name_key in list(RoleType):
        found.append(f"'{role.name_key}' is the name of a standard role; choose another one")
    if len(role.description) > LONGEST_DESCRIPTION or not role.description.isprintable():
        found.append(
            f"the description is longer than {LONGEST_DESCRIPTION} characters, or not on one line"
        )
    return found
