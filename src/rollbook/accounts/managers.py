"""The managers of a district, who answer for its accounts and its files."""

from rollbook.accounts.models import Member
from rollbook.accounts.permissions import Permission, RoleType
from rollbook.districts.models import District


def district_managers(district: District) -> list[Member]:
    """Return the active district managers who have accepted their invitation, by email."""
    managers = Member.objects.filter(
        district=district,
        is_active=True,
        role__is_standard=True,
        role__type=RoleType.DISTRICT_MANAGER.value,
    ).order_by("email")
    return [manager for manager in managers if manager.has_usable_password()]


def members_who_may(district: District, permission: Permission) -> list[Member]:
    """Return the active members with this permission who have accepted their invitation, by name.

    Args:
        district: The district.
        permission: A permission that only roles of district managers can have.
    """
    members = Member.objects.filter(
        district=district, is_active=True, role__type=RoleType.DISTRICT_MANAGER.value
    ).select_related("role")
    return [
        member
        for member in members.order_by("last_name", "first_name", "pk")
        if member.may(permission) and member.has_usable_password()
    ]
