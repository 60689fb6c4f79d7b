"""Runs ``rollbook district``: adds districts and changes their settings."""

import zoneinfo
from argparse import Namespace
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

from django.db import transaction
from django.utils.text import slugify

from rollbook.accounts.district_settings import DATE_ORDERS
from rollbook.accounts.members.members import UnknownMember, set_receivers
from rollbook.cli.audit_log import record
from rollbook.cli.errors import OK, USAGE, CommandError
from rollbook.cli.lookup import get_district
from rollbook.districts.grade_codes import describe_grade_codes, parse_grade_codes
from rollbook.districts.models import District
from rollbook.districts.names import normalize_name
from rollbook.studentfile.reading.reader import normalize_encoding_name

YES = "yes"
MIN_SIMILARITY = 0.8
"""How similar a time zone must be to be suggested, as for ``difflib.get_close_matches``."""


def add(arguments: Namespace) -> int:
    """Add a district."""
    name = checked_name(arguments.name)
    time_zone = require_time_zone(arguments.time_zone)
    with transaction.atomic():
        district = create(name, time_zone)
    print(f"Added {name} with time zone {time_zone}. Its short name is {district.slug}.")
    return OK


def create(name: str, time_zone: str) -> District:
    """Create a district, in the caller's transaction.

    Raises:
        CommandError: There is already one with the same short name.
    """
    slug = slugify(name) or f"district-{District.objects.count() + 1}"
    existing = District.objects.filter(slug=slug).first()
    if existing:
        raise CommandError(
            "district_exists",
            f"there is already a district {slug}, {existing.name}; choose another name",
        )
    district = District.objects.create(name=name, slug=slug, time_zone=time_zone)
    record("district add", district, slug)
    return district


def set_settings(arguments: Namespace) -> int:
    """Change all settings that are named, or none if one of them is invalid."""
    district = get_district(arguments.district)
    values = {name: getattr(arguments, name) for name in _SETTERS}
    names = [name for name, value in values.items() if value is not None]
    if not names:
        options = ", ".join(f"--{name.replace('_', '-')}" for name in _SETTERS)
        raise CommandError("nothing_to_set", f"use at least one of {options}", USAGE)
    with transaction.atomic():
        messages = [_SETTERS[name](district, values[name]) for name in names]
        district.save(update_fields=_COLUMNS)
        record("district set", district, ", ".join(names))
    print("\n".join(messages))
    return OK


def _set_time_zone(district: District, name: str) -> str:
    district.time_zone = require_time_zone(name)
    return f"Times of {district.name} are shown in {district.time_zone}."


def _set_encoding(district: District, name: str) -> str:
    try:
        district.encoding = normalize_encoding_name(name)
    except ValueError as error:
        raise CommandError("unknown_encoding", str(error)) from None
    return (
        f"Student files of {district.name} are read as {district.encoding} "
        "unless they specify another encoding."
    )


def _set_date_order(district: District, order: str) -> str:
    district.date_order = order
    return f"Dates in student files of {district.name} are read with the {DATE_ORDERS[order]}."


def _set_grade_codes(district: District, text: str) -> str:
    try:
        district.grade_codes = parse_grade_codes(text)
    except ValueError as error:
        raise CommandError("bad_grade_codes", str(error)) from None
    codes = describe_grade_codes(district.grade_codes)
    return f"Grade codes in student files of {district.name}: {codes}."


def _set_reactivate_students(district: District, answer: str) -> str:
    district.reactivates_students = answer == YES
    if district.reactivates_students:
        return f"Inactive students of {district.name} who appear in a file are reactivated."
    return f"Inactive students of {district.name} who appear in a file stay inactive."


def _set_notify(district: District, emails: list[str]) -> str:
    try:
        members = set_receivers(district, emails)
    except UnknownMember as error:
        raise CommandError(
            "not_a_member",
            f"{error}; add them with `rollbook staff add {district.slug} ...`, "
            "or correct the address",
        ) from None
    recipients = ", ".join(member.email for member in members)
    if not recipients:
        return f"The results of an update of {district.name} go only to the person who started it."
    return f"The results of every update of {district.name} go to {recipients}."


_SETTERS: dict[str, Callable[[District, Any], str]] = {
    "time_zone": _set_time_zone,
    "encoding": _set_encoding,
    "date_order": _set_date_order,
    "grade_codes": _set_grade_codes,
    "reactivate_students": _set_reactivate_students,
    "notify": _set_notify,
}
"""By the name of the argument; each returns the message to print."""
_COLUMNS = ("time_zone", "encoding", "date_order", "grade_codes", "reactivates_students")


def checked_name(text: str) -> str:
    """Return the name of a district in the form in which it is stored."""
    try:
        return normalize_name(text)
    except ValueError as error:
        raise CommandError("bad_name", f"{error}; choose another name") from None


def require_time_zone(text: str) -> str:
    """Return the time zone if there is one with this name."""
    zones = zoneinfo.available_timezones()
    if text in zones:
        return text
    match = _closest_time_zone(text, sorted(zones))
    hint = f"did you mean {match}?" if match else "use a name such as America/Chicago"
    raise CommandError("unknown_time_zone", f"there is no time zone '{text}'; {hint}")


def _closest_time_zone(text: str, zones: list[str]) -> str | None:
    """Return the zone with the most similar name, or else with the most similar city."""
    name = text.strip().casefold().replace(" ", "_")
    by_city = {zone.rpartition("/")[2].casefold(): zone for zone in reversed(zones)}
    by_name = {zone.casefold(): zone for zone in zones}
    city = name.rpartition("/")[2]
    for candidates, word in ((by_name, name), (by_city, city)):
        matches = get_close_matches(word, candidates, n=1, cutoff=MIN_SIMILARITY)
        if matches:
            return candidates[matches[0]]
    return None
