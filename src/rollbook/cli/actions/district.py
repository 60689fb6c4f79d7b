"""``rollbook district``: the school systems that send files."""

import zoneinfo
from argparse import Namespace
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

from django.db import transaction
from django.utils.text import slugify

from rollbook.cli.audit_log import record
from rollbook.cli.errors import OK, USAGE, CommandError
from rollbook.cli.lookup import get_district
from rollbook.format.reader import known_encoding
from rollbook.roster.models import District
from rollbook.staff.members import NotAMember, set_receivers

MAX_NAME_LENGTH = 100


def add(arguments: Namespace) -> int:
    """Add a district."""
    name = _name(arguments.name)
    time_zone = _time_zone(arguments.time_zone)
    slug = slugify(name)
    with transaction.atomic():
        slug = slug or f"district-{District.objects.count() + 1}"
        there = District.objects.filter(slug=slug).first()
        if there:
            raise CommandError(
                "district_exists",
                f"there is a district {slug} already, {there.name}; choose another name",
            )
        district = District.objects.create(name=name, slug=slug, time_zone=time_zone)
        record("district add", district, slug)
    print(f"Added {name}, time zone {time_zone}. Its short name is {slug}.")
    return OK


def set_settings(arguments: Namespace) -> int:
    """Change settings: all that are named, or none."""
    district = get_district(arguments.district)
    wanted = [name for name in _SETTINGS if getattr(arguments, name) is not None]
    if not wanted:
        options = ", ".join(f"--{name.replace('_', '-')}" for name in _SETTINGS)
        raise CommandError("nothing_to_set", f"say what to set: {options}", USAGE)
    with transaction.atomic():
        said = [_SETTINGS[name](district, getattr(arguments, name)) for name in wanted]
        district.save(update_fields=["time_zone", "encoding"])
        record("district set", district, ", ".join(wanted))
    print("\n".join(said))
    return OK


def _set_time_zone(district: District, name: str) -> str:
    district.time_zone = _time_zone(name)
    return f"Times of {district.name} are told in {district.time_zone}."


def _set_encoding(district: District, name: str) -> str:
    try:
        district.encoding = known_encoding(name)
    except ValueError as error:
        raise CommandError("unknown_encoding", str(error)) from None
    return f"Student files of {district.name} are read as {district.encoding} unless they say otherwise."


def _set_notify(district: District, emails: list[str]) -> str:
    try:
        members = set_receivers(district, emails)
    except NotAMember as error:
        raise CommandError(
            "not_a_member",
            f"{error}; add them with `rollbook staff add {district.slug} ...`, or correct the address",
        ) from None
    listed = ", ".join(member.email for member in members) or "nobody but who started it"
    return f"The results of every update of {district.name} go to {listed}."


_SETTINGS: dict[str, Callable[[District, Any], str]] = {
    "time_zone": _set_time_zone,
    "encoding": _set_encoding,
    "notify": _set_notify,
}


def _name(text: str) -> str:
    """It goes into mail headers and log lines: no line breaks."""
    name = " ".join(text.split())
    if not (0 < len(name) <= MAX_NAME_LENGTH and name.isprintable()):
        raise CommandError(
            "bad_name",
            f"a district's name has 1 to {MAX_NAME_LENGTH} printable characters; give a shorter one",
        )
    return name


def _time_zone(text: str) -> str:
    zones = zoneinfo.available_timezones()
    if text in zones:
        return text
    near = _nearest(text, sorted(zones))
    hint = f"did you mean {near}?" if near else "write one such as America/Chicago"
    raise CommandError("unknown_time_zone", f"there is no time zone '{text}'; {hint}")


def _nearest(text: str, zones: list[str]) -> str | None:
    """The zone of that city, whatever the continent, else the one that is spelled most like it."""
    folded = text.strip().casefold().replace(" ", "_")
    by_city = {zone.rpartition("/")[2].casefold(): zone for zone in reversed(zones)}
    by_name = {zone.casefold(): zone for zone in zones}
    city = folded.rpartition("/")[2]
    for known, asked in ((by_name, folded), (by_city, city)):
        near = get_close_matches(asked, known, n=1, cutoff=0.8)
        if near:
            return known[near[0]]
    return None
