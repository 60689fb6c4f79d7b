"""Check a file as the server of a district does, without a server."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from django.utils import timezone

from rollbook.districts.models import District
from rollbook.operations.twin import roster
from rollbook.operations.twin.roster import Watch
from rollbook.updates.models import UpdateJob
from rollbook.updates.planning import limit_sets
from rollbook.updates.planning.limit_document import LimitDocument
from rollbook.updates.state_machine import Mode

NAME, SLUG = "Offline", "offline"


@dataclass(frozen=True)
class Wanted:
    """What to check a file with.

    Attributes:
        file: The student file.
        export: A roster export of the district; None: it has no students.
        schools: SCHOOL_ID to name, from a schools file; those of the export are added.
        mode: What the file may do.
        limits: The limits; None: those of a district that has set none.
        encoding: The encoding in the district's settings.
        date_order: The date order there.
    """

    file: Path
    export: Path | None = None
    schools: Mapping[str, str] = field(default_factory=dict)
    mode: Mode = Mode.UPDATE
    limits: LimitDocument | None = None
    encoding: str = "utf-8"
    date_order: str = "mdy"


def check(wanted: Wanted, watch: Watch) -> UpdateJob:
    """Return the dry run of the file, in a district that is made for it.

    Args:
        wanted: What to check, and with what.
        watch: Is called after each step with the update, also of the one that adds the roster.

    Raises:
        UnusableExport: The roster export can't be used.
        OSError: A file can't be read.
    """
    district = District.objects.create(
        name=NAME, slug=SLUG, encoding=wanted.encoding, date_order=wanted.date_order
    )
    roster.build(district, wanted.export, wanted.schools, watch)
    if wanted.limits:
        limit_sets.save(district, wanted.limits, None, timezone.now())
    update = roster.send(district, wanted.file, wanted.mode, is_check=True).update
    roster.run(update, watch)
    return update
