"""Refuse requests of a district that the operator has suspended.

While a district is suspended, its data is kept, and nobody in it can sign in or upload. Its updates
pause after the current step. A district that is being deleted is suspended, too.
"""

from rollbook.districts.models import District

BEING_DELETED = "it is being deleted"
"""The reason that is shown while a district is being deleted."""


class DistrictSuspended(Exception):
    """The operator has suspended the district; the text says why."""

    def __init__(self, district: District) -> None:
        reason = district.suspension_reason.rstrip(".")
        super().__init__(
            f"{district.name} is suspended in Rollbook: {reason}. "
            "Ask your Rollbook administrator about it."
        )


def require_not_suspended(district: District) -> None:
    """Check that the district isn't suspended, as far as the instance says.

    Raises:
        DistrictSuspended: It is.
    """
    if district.is_suspended:
        raise DistrictSuspended(district)
