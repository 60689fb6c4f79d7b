"""The managers of a district, who answer for its accounts and its files."""

from rollbook.accounts.models import Member
from rollbook.accounts.permissions import RoleType
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
