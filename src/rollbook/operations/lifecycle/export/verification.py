"""Verify that a district's export exists, is unchanged, and has everything."""

import hashlib
from datetime import datetime
from pathlib import Path

from django.db.models import Max, Q

from rollbook.accounts.models import AuditEvent
from rollbook.districts.models import District
from rollbook.operations.models import DistrictExport
from rollbook.text import format_timestamp
from rollbook.updates.models import UpdateJob

_HARMLESS_ACTIONS = (
    "begin session",
    "district delete",
    "district export",
    "district resume",
    "district suspend",
    "end session",
    "page",
    "retention",
    "sign in",
    "status",
    "student show",
)
"""Actions that change nothing that the export contains, besides the audit itself."""
_HARMLESS_RESULTS = ("seen", "downloaded", "failed", "not allowed", "not found")


class UnusableExport(Exception):
    """There is no export with everything.

    Attributes:
        code: Identifies the reason for scripts.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


def require_usable(district: District) -> DistrictExport:
    """Return the district's last export, if its archive exists and nothing has changed since.

    Raises:
        UnusableExport: It isn't so; the text says why.
    """
    export = DistrictExport.objects.filter(district=district).first()
    if export is None:
        raise UnusableExport("no_export", f"{district.name} was never exported")
    try:
        with Path(export.path).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        text = f"{export.path} can't be read ({error.strerror})"
        raise UnusableExport("export_missing", text) from None
    if digest != export.digest:
        raise UnusableExport("export_changed", f"{export.path} is not the file that was exported")
    changed_at = newest_change(district)
    if changed_at and changed_at > export.exported_at:
        when = format_timestamp(changed_at, district.time_zone)
        text = f"{district.name} was changed at {when}, after it was exported"
        raise UnusableExport("export_outdated", text)
    return export


def newest_change(district: District) -> datetime | None:
    """Return when something was last changed, by an update or by a person; None if never."""
    times = UpdateJob.objects.filter(district=district).aggregate(
        received=Max("received_at"), progressed=Max("progressed_at"), ended=Max("ended_at")
    )
    harmless = Q(action__in=_HARMLESS_ACTIONS) | Q(result__in=_HARMLESS_RESULTS)
    events = AuditEvent.objects.filter(district=district).exclude(harmless)
    times["event"] = events.aggregate(at=Max("at"))["at"]
    return max(filter(None, times.values()), default=None)
