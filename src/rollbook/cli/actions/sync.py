"""Runs ``rollbook sync``: shows and sets who may use full sync and other modes."""

from argparse import Namespace
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace

from django.db import transaction
from django.utils import timezone

from rollbook.accounts import sync_settings
from rollbook.accounts.sync_settings import SyncSettings
from rollbook.cli import output
from rollbook.cli.audit_log import record
from rollbook.cli.errors import OK, USAGE, CommandError
from rollbook.cli.lookup import get_district
from rollbook.districts.models import District
from rollbook.districts.modes import Channel
from rollbook.text import count_of, format_number, printable
from rollbook.updates.absences import preview
from rollbook.updates.absences.preview import Preview
from rollbook.validation import ValidationFailed

NONE = "none"
_MAX_SHOWN = 40


def show(arguments: Namespace) -> int:
    """Print which modes may be used, and what the last file would have done in full sync."""
    district = get_district(arguments.district)
    settings, found = sync_settings.settings_of(district), preview.of_last_file(district)
    if arguments.json:
        print(output.to_json(_as_json(settings, found)))
        return OK
    print("\n".join([district.name, *(f"  {line}" for line in settings.lines())]))
    print("\n".join(_preview_lines(found)))
    return OK


def set_modes(arguments: Namespace) -> int:
    """Set which modes may be used, and when missing students are deactivated."""
    district = get_district(arguments.district)
    before = sync_settings.settings_of(district)
    wanted = replace(before, modes={**before.modes, **dict(map(_allowed, arguments.allow))})
    if arguments.files is not None:
        wanted = replace(wanted, absent_files=arguments.files)
    if arguments.days is not None:
        wanted = replace(wanted, absent_days=arguments.days)
    if wanted.allows_sync and not before.allows_sync:
        print("\n".join(_preview_lines(preview.of_last_file(district))))
    _save(district, wanted)
    print("\n".join([district.name, *(f"  {line}" for line in wanted.lines())]))
    return OK


def _save(district: District, wanted: SyncSettings) -> None:
    try:
        with transaction.atomic():
            if sync_settings.save(district, wanted, timezone.now()):
                record("sync set", district, str(wanted))
    except ValidationFailed as failed:
        raise CommandError("bad_sync", f"{failed}; nothing was changed", USAGE) from None


def _allowed(word: str) -> tuple[Channel, tuple[str, ...]]:
    """Return what ``--allow`` says."""
    where, separator, modes = word.partition("=")
    if where not in list(Channel) or not separator:
        raise CommandError(
            "bad_allow",
            f"'{printable(word, _MAX_SHOWN)}' isn't WHERE=MODES; write for example "
            f"scripts=update,add,sync, with {', '.join(Channel)} in place of scripts",
            USAGE,
        )
    wanted: Sequence[str] = () if modes == NONE else modes.split(",")
    return Channel(where), tuple(dict.fromkeys(wanted))


def _preview_lines(found: Preview | None) -> Iterator[str]:
    if found is None:
        yield "No file has completed yet, so nobody knows what full sync would do."
        return
    yield (
        f"The file of update {found.update.number} doesn't name {format_number(found.unnamed)} of "
        f"{count_of(found.active, 'active student')}; {format_number(found.missing)} would have "
        "been counted as missing."
    )
    for school in found.schools:
        note = "" if school.has_rows else "; no row for this school, so nobody is counted"
        unnamed, active = format_number(school.unnamed), format_number(school.active)
        yield f"  {school.title}: {unnamed} of {active}{note}"


def _as_json(settings: SyncSettings, found: Preview | None) -> dict[str, object]:
    last = None
    if found:
        last = {
            "update": found.update.number,
            "active": found.active,
            "unnamed": found.unnamed,
            "missing": found.missing,
            "schools": [asdict(school) for school in found.schools],
        }
    return {
        "modes": {channel.value: list(modes) for channel, modes in settings.modes.items()},
        "absent_files": settings.absent_files,
        "absent_days": settings.absent_days,
        "last_file": last,
    }
