"""The bytes of a district's files that are kept, and their limit: none may fill the disk.

Files of updates count until retention removes them, also those that were refused, and so do
drafts. Uploads at the same time may exceed the limit by one file each.
"""

from django.db.models import Sum

from rollbook.districts.models import District
from rollbook.text import format_bytes
from rollbook.updates.models import Draft, UpdateJob


class QuotaExceeded(Exception):
    """The district keeps too many bytes for another file; the text says how many and what to do."""

    def __init__(self, kept: int, district: District) -> None:
        days = district.files_kept_days
        super().__init__(
            f"the files of {district.name} that are kept take {format_bytes(kept)} of "
            f"{format_bytes(district.kept_bytes_limit)}; each is removed {days} days after the end "
            "of its update. Shorten that time under Settings, or ask your Rollbook administrator "
            "for more"
        )


def kept_bytes(district: District) -> int:
    """Return how many bytes the files of a district have that are kept."""
    updates = UpdateJob.objects.filter(district=district, file_removed_at=None)
    drafts = Draft.objects.filter(district=district, update=None)
    return sum(files.aggregate(total=Sum("file_size"))["total"] or 0 for files in (updates, drafts))


def require_room(district: District, size: int) -> None:
    """Check that a file of this size doesn't exceed the limit of the district.

    Raises:
        QuotaExceeded: It does.
    """
    kept = kept_bytes(district)
    limit = District.objects.values_list("kept_bytes_limit", flat=True).get(pk=district.pk)
    if kept + size > limit:
        district.kept_bytes_limit = limit
        raise QuotaExceeded(kept, district)
