"""One step of removing what has expired in each district; a periodic task of the worker."""

from datetime import datetime

from rollbook.accounts.retention_guard import Due
from rollbook.districts.models import District
from rollbook.operations.retention import erasing, history, leavers, staff


def remove_expired(now: datetime) -> int:
    """Remove a batch of each kind in each district without an unfinished update.

    Returns:
        The number of changes and persons; 0 if nothing is left.
    """
    return sum(
        history.remove_expired(district, now)
        + leavers.remove_expired(district, now)
        + staff.remove_expired(district, now)
        for district in erasing.idle_districts()
    )


def count_due(now: datetime) -> dict[str, Due]:
    """Count the changes of students and the persons that have expired."""
    districts = list(District.objects.filter(deleting_at=None).order_by("pk"))
    return {
        "history": history.count_due(districts, now),
        "students who left": leavers.count_due(districts, now),
        "former staff": staff.count_due(districts, now),
    }
