"""Runs ``rollbook district``: adds districts, changes their settings, and ends their use."""

import zoneinfo
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.text import capfirst, slugify

from rollbook.accounts.district_settings import (
    DATE_ORDERS,
    LIMITS,
    SETTING_LABELS,
    InvalidSettings,
    load_settings,
    report_sensitive,
    require_valid,
)
from rollbook.accounts.members.members import UnknownMember, set_receivers
from rollbook.cli import certificate_output, confirmation, district_summary, output
from rollbook.cli.audit_log import record
from rollbook.cli.errors import OK, USAGE, CommandError
from rollbook.cli.lookup import find_district, get_district
from rollbook.cli.printed_text import add_facts
from rollbook.cli.suggestions import closest
from rollbook.districts.grade_codes import describe_grade_codes, parse_grade_codes
from rollbook.districts.models import District
from rollbook.districts.names import normalize_name
from rollbook.operations.lifecycle import deletion, destruction, suspension
from rollbook.operations.lifecycle.export import archive, verification
from rollbook.operations.lifecycle.summary import summarize
from rollbook.operations.models import Destruction, DistrictExport
from rollbook.studentfile.reading.reader import normalize_encoding_name
from rollbook.text import count_of, format_number, join_words, name_updates
from rollbook.updates.models import UpdateJob
from rollbook.updates.state_machine import UNFINISHED

YES = "yes"
MIN_SIMILARITY = 0.8
"""How similar a time zone must be to be suggested, see ``closest``."""


def add(arguments: Namespace) -> int:
    """Add a district."""
    name = checked_name(arguments.name)
    time_zone = require_time_zone(arguments.time_zone)
    with transaction.atomic():
        district = create(name, time_zone)
    add_facts(arguments, district=district.slug, name=name, time_zone=time_zone)
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
        before = load_settings(district)
        messages = [_SETTERS[name](district, values[name]) for name in names]
        _require_valid(district)
        district.save(update_fields=_COLUMNS)
        report_sensitive(district, before, load_settings(district), None)
        record("district set", district, ", ".join(names))
    add_facts(arguments, district=district.slug)
    print("\n".join(messages))
    return OK


def _require_valid(district: District) -> None:
    try:
        require_valid(load_settings(district))
    except InvalidSettings as error:
        raise CommandError("bad_settings", f"{error}; nothing was changed") from None


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


def _set_invitations_per_day(district: District, count: int) -> str:
    district.invitations_per_day = count
    return f"{district.name} can send {count_of(count, 'invitation')} in 24 hours."


def _set_kept_gb(district: District, gigabytes: int) -> str:
    district.kept_bytes_limit = gigabytes * 1_000_000_000
    return f"The files of {district.name} that are kept can take {gigabytes:,} GB."


def _retention_setter(name: str) -> Callable[[District, int], str]:
    """Return the setter of a retention time of this name."""

    def set_time(district: District, count: int) -> str:
        setattr(district, name, count)
        amount = f"{count:,}" if count else "nothing is removed"
        return f"{capfirst(SETTING_LABELS[name])} of {district.name}: {amount}."

    return set_time


_SETTERS: dict[str, Callable[[District, Any], str]] = {
    "time_zone": _set_time_zone,
    "encoding": _set_encoding,
    "date_order": _set_date_order,
    "grade_codes": _set_grade_codes,
    "reactivate_students": _set_reactivate_students,
    "notify": _set_notify,
    "invitations_per_day": _set_invitations_per_day,
    "kept_gb": _set_kept_gb,
    **{name: _retention_setter(name) for name in LIMITS},
}
"""By the name of the argument; each returns the message to print."""
_NOTHING_REMOVED = "nothing was removed"
_COLUMNS = (
    "time_zone",
    "encoding",
    "date_order",
    "grade_codes",
    "reactivates_students",
    "invitations_per_day",
    "kept_bytes_limit",
    *LIMITS,
)


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
    name = text.strip().replace(" ", "_")
    match = closest(name, zones, MIN_SIMILARITY)
    if match:
        return match
    by_city = {zone.rpartition("/")[2]: zone for zone in reversed(zones)}
    city = closest(name.rpartition("/")[2], by_city, MIN_SIMILARITY)
    return by_city[city] if city else None


def list_districts(arguments: Namespace) -> int:
    """Print all districts with their numbers."""
    summaries = summarize(District.objects.all())
    if arguments.json:
        print(output.to_json([district_summary.to_json(summary) for summary in summaries]))
    elif summaries:
        rows = [district_summary.table_row(summary) for summary in summaries]
        print("\n".join(output.table(district_summary.HEADERS, rows)))
    else:
        print('There is no district yet; add one with `rollbook district add "NAME"`.')
    return OK


def show(arguments: Namespace) -> int:
    """Print a district with its numbers and settings."""
    district = find_district(arguments.district)
    (summary,) = summarize(District.objects.filter(pk=district.pk))
    export_made = DistrictExport.objects.filter(district=district).first()
    if arguments.json:
        print(output.to_json(district_summary.to_json(summary, export_made)))
        return OK
    print(f"{district.name} ({district.slug})\n")
    print("\n".join(output.name_value_lines(district_summary.values(summary, export_made))))
    return OK


def rename(arguments: Namespace) -> int:
    """Change the name or the short name of a district."""
    district = get_district(arguments.district)
    if arguments.name is None and arguments.slug is None:
        raise CommandError("nothing_to_set", "use at least one of --name, --slug", USAGE)
    name = "" if arguments.name is None else checked_name(arguments.name)
    with _refusing("not_renamed"):
        renamed = suspension.rename(district, timezone.now(), name=name, slug=arguments.slug or "")
    add_facts(arguments, district=renamed.slug, name=renamed.name)
    print(f"The district is called {renamed.name} now. Its short name is {renamed.slug}.")
    if renamed.slug != district.slug:
        print(f"Change {district.slug} to {renamed.slug} in your own scripts with commands.")
    return OK


def suspend(arguments: Namespace) -> int:
    """Suspend a district, or change the reason."""
    district = get_district(arguments.district)
    with _refusing("not_suspended"):
        suspension.suspend(district, arguments.reason, timezone.now())
    add_facts(arguments, district=district.slug)
    print(f"{district.name} is suspended: nobody in it can sign in or upload. Its data is kept.")
    numbers = _unfinished_numbers(district)
    if numbers:
        print(f"Paused until it is resumed: {name_updates(numbers)}.")
    return OK


def resume(arguments: Namespace) -> int:
    """Resume a suspended district."""
    district = get_district(arguments.district)
    with _refusing("not_resumed"):
        suspension.resume(district, timezone.now())
    add_facts(arguments, district=district.slug)
    print(f"{district.name} is active again.")
    numbers = _unfinished_numbers(district)
    if numbers:
        print(f"Continued: {name_updates(numbers)}.")
    return OK


def export(arguments: Namespace) -> int:
    """Write everything that belongs to a district into an archive."""
    district = get_district(arguments.district)
    try:
        made = archive.export(district, arguments.target, timezone.now())
    except archive.FileExists as error:
        raise CommandError(
            "file_exists", f"{error} already exists; choose another name, or a folder"
        ) from None
    add_facts(arguments, path=str(made.path), bytes=made.size, sha256=made.digest)
    print(f"Exported {district.name} to {made.path}, {district_summary.format_size(made.size)}.")
    print(f"SHA-256 {made.digest}")
    print("It contains confidential information of students: store it as safely as their records.")
    return OK


def delete(arguments: Namespace) -> int:
    """Delete a district, or continue to."""
    district = find_district(arguments.district)
    begun = deletion.find(district)
    if begun is None:
        counts = deletion.count_rows(district)
        print(f"This removes {district.name} ({district.slug}) and cannot be undone:")
        print("\n".join(output.table(("count", "what"), _count_rows(counts))))
        if arguments.dry_run:
            print("Nothing was removed.")
            return OK
        begun = _start_deletion(district, arguments)
    elif arguments.dry_run:
        raise CommandError(
            "district_being_deleted",
            f"{district.name} is already being deleted; run the command without --dry-run",
        )
    else:
        print(f"Continuing to delete {district.name}.")
    finished = destruction.run(begun, deletion.remove_batch, lambda removed: None)
    add_facts(arguments, certificate=finished.pk)
    print(f"Deleted {district.name}.")
    certificate_output.save(finished, arguments.certificates)
    return OK


def _start_deletion(district: District, arguments: Namespace) -> Destruction:
    """Check everything that must be right, ask for the name, and begin."""
    verified = None if arguments.without_export else _require_export(district)
    broken = deletion.broken_seals(district)
    if broken and not arguments.broken_audit:
        raise CommandError(
            "audit_broken",
            f"audit events of {district.name} were changed outside Rollbook (seal "
            f"{join_words(broken)}); find out why with `rollbook audit check` and a backup, or "
            "use --broken-audit; nothing was removed",
        )
    if arguments.name is None:
        prompt = f"Type the name of the district, {district.name}, to delete it"
        confirmation.require_typed(district.name, prompt, "--name NAME", _NOTHING_REMOVED)
    else:
        confirmation.require_equal(arguments.name, district.name, _NOTHING_REMOVED)
    return deletion.start(district, timezone.now(), verified)


def _require_export(district: District) -> DistrictExport:
    try:
        return verification.require_usable(district)
    except verification.UnusableExport as error:
        raise CommandError(
            error.code,
            f"{error}; export it with `rollbook district export {district.slug} DIR`, or use "
            "--without-export; nothing was removed",
        ) from None


def _count_rows(counts: Mapping[str, int]) -> list[tuple[str, str]]:
    return [(format_number(count), kind) for kind, count in counts.items()]


def _unfinished_numbers(district: District) -> list[int]:
    unfinished = UpdateJob.objects.filter(district=district, state__in=UNFINISHED)
    return list(unfinished.order_by("number").values_list("number", flat=True))


@contextmanager
def _refusing(code: str) -> Iterator[None]:
    """Turn what isn't possible into an error of the command."""
    try:
        yield
    except suspension.NotPossible as error:
        raise CommandError(code, str(error)) from None
