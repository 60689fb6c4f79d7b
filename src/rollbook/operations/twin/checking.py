"""Check a file as the server of a district does, without a server."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from django.utils import timezone

from rollbook.districts import modes
from rollbook.districts.models import District
from rollbook.districts.modes import Channel
from rollbook.operations.twin import roster
from rollbook.operations.twin.roster import Watch
from rollbook.studentfile.mapping.mapping import MappingDocument
from rollbook.updates.mappings import store
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
        mapping: The column mapping through which the file is read; None: there is none.
    """

    file: Path
    export: Path | None = None
    schools: Mapping[str, str] = field(default_factory=dict)
    mode: Mode = Mode.UPDATE
    limits: LimitDocument | None = None
    encoding: str = "utf-8"
    date_order: str = "mdy"
    mapping: MappingDocument | None = None


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
        name=NAME,
        slug=SLUG,
        encoding=wanted.encoding,
        date_order=wanted.date_order,
        modes=modes.as_stored({Channel.CLI: modes.MODES}),
    )
    roster.build(district, wanted.export, wanted.schools, watch)
    if wanted.limits:
        limit_sets.save(district, wanted.limits, None, timezone.now())
    header_map = ""
    if wanted.mapping:
        store.save(district, wanted.mapping, None, timezone.now())
        header_map = wanted.mapping.name
    update = roster.send(
        district, wanted.file, wanted.mode, is_check=True, header_map=header_map
    ).update
    roster.run(update, watch)
    return update
