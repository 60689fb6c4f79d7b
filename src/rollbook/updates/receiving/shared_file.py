"""On PostgreSQL, a large file with the same bytes as an earlier one isn't stored once more.

Its update refers to the file of the earlier update, as a plan that is checked again does. Retention
keeps a file for as long as any update needs it. Why: docs/decisions/0083-one-file-two-updates.md.
"""

from django.conf import settings

from rollbook.districts.models import District
from rollbook.updates.models import UpdateJob
from rollbook.updates.receiving import file_chunks
from rollbook.updates.receiving.files import IncomingFile


def find(district: District, incoming: IncomingFile) -> str:
    """Return the name of a stored file that can be used instead of this one; empty if none can.

    It is complete in the database, so every worker can read it.

    Args:
        district: The district.
        incoming: The file, completely written.
    """
    if not (settings.ON_POSTGRESQL and incoming.is_large):
        return ""
    updates = UpdateJob.objects.filter(
        district=district, spool_digest=incoming.digest, file_removed_at=None
    )
    name = updates.order_by("-number").values_list("spool_name", flat=True).first()
    return name if name and file_chunks.size(name) == incoming.size_on_disk else ""


def keep(name: str) -> bool:
    """Let retention keep a stored file until the caller's transaction ends.

    Returns:
        Whether it hasn't been removed.
    """
    updates = UpdateJob.objects.filter(spool_name=name, file_removed_at=None)
    return bool(updates.select_for_update(no_key=True).order_by("pk").values_list("pk"))
