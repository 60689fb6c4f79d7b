"""Runs ``rollbook schedule``: shows and sets when a district's student files are expected."""

from argparse import Namespace
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from typing import TypeVar

from django.db import transaction
from django.utils import timezone

from rollbook.cli import output
from rollbook.cli.audit_log import record
from rollbook.cli.errors import OK, USAGE, CommandError
from rollbook.cli.lookup import get_district
from rollbook.districts import quiet_hours, schedules
from rollbook.districts.file_schedule import WEEKDAYS, Pause, parse_time
from rollbook.districts.models import District
from rollbook.districts.quiet_hours import QuietHours, parse_window
from rollbook.districts.schedules import ScheduleSettings
from rollbook.text import format_clock, format_timestamp
from rollbook.updates import missing_files
from rollbook.updates.planning.quiet import reschedule
from rollbook.validation import ValidationFailed

_SHORT_LENGTH = 3
_DAYS = [name[:_SHORT_LENGTH].lower() for name in WEEKDAYS]
Value = TypeVar("Value")

_TIME_HELP = "write for example mon-fri=6:00AM, sat=18:30 or all=off"


def show(arguments: Namespace) -> int:
    """Print when files are expected, the pauses, and what is missing or expected next."""
    district = get_district(arguments.district)
    settings = schedules.settings_of(district)
    status = missing_files.status(district, timezone.now())
    missed_at = next_at = ""
    if status and status.missed:
        missed_at = format_timestamp(status.missed.expected_at, district.time_zone)
    if status and status.next_file:
        next_at = format_timestamp(status.next_file.at, district.time_zone)
    pauses = schedules.pauses_of(district)
    hours = quiet_hours.of_district(district)
    if arguments.json:
        found = _as_json(settings, pauses, missed_at, next_at)
        print(output.to_json(found | {"quiet_hours": _quiet_as_json(hours)}))
        return OK
    print(f"{district.name}: {settings}")
    if any(hours.windows):
        print(f"quiet hours: {hours}")
    for pause in pauses:
        print(f"pause from {pause.first} to {pause.last}")
    if missed_at:
        print(f"MISSING: no complete file arrived by {missed_at}")
    if next_at:
        print(f"next file expected by {next_at}")
    return OK


def set_times(arguments: Namespace) -> int:
    """Set by when a file is expected."""
    district = get_district(arguments.district)
    before = schedules.settings_of(district)
    wanted = replace(before, times=_with_values(before.times, arguments.time, parse_time))
    if arguments.grace is not None:
        wanted = replace(wanted, grace_minutes=arguments.grace)
    if arguments.count:
        wanted = replace(wanted, needs_half=arguments.count == "complete")
    try:
        with transaction.atomic():
            if schedules.save(district, wanted, timezone.now()):
                record("schedule set", district, str(wanted))
    except ValidationFailed as failed:
        raise CommandError("bad_grace", f"{failed}; nothing was changed", USAGE) from None
    print(f"{district.name}: {wanted}")
    return OK


def pause(arguments: Namespace) -> int:
    """Add a pause."""
    district = get_district(arguments.district)
    wanted = Pause(_day(arguments.first), _day(arguments.last))
    try:
        with transaction.atomic():
            schedules.add_pause(district, wanted, timezone.now())
            record("schedule pause", district, f"{wanted.first} to {wanted.last}")
    except ValidationFailed as failed:
        raise CommandError("bad_pause", f"{failed}; nothing was changed", USAGE) from None
    print(f"{district.name} expects no file from {wanted.first} to {wanted.last}.")
    return OK


def unpause(arguments: Namespace) -> int:
    """Remove a pause."""
    district = get_district(arguments.district)
    with transaction.atomic():
        removed = schedules.remove_pause(district, _day(arguments.first))
        if removed is None:
            raise _no_such_pause(district, arguments.first)
        record("schedule unpause", district, f"{removed.first} to {removed.last}")
    print(f"Removed the pause from {removed.first} to {removed.last}.")
    return OK


def quiet(arguments: Namespace) -> int:
    """Set the quiet hours."""
    district = get_district(arguments.district)
    before = quiet_hours.of_district(district).windows
    windows = _with_values(before, arguments.time, parse_window)
    with transaction.atomic():
        if quiet_hours.save(district, windows):
            reschedule(district, timezone.now())
            record("schedule quiet", district, str(quiet_hours.of_district(district)))
    print(f"{district.name}: {quiet_hours.of_district(district)}")
    return OK


def _no_such_pause(district: District, first: str) -> CommandError:
    return CommandError(
        "no_such_pause",
        f"no pause begins on {first}; `rollbook schedule show {district.slug}` lists them",
    )


def _with_values(
    before: Sequence[Value | None], words: Sequence[str], parse: Callable[[str], Value]
) -> tuple[Value | None, ...]:
    """Return what is set for each weekday after the changes of ``--time``."""
    changed = list(before)
    for word in words:
        days, separator, text = word.partition("=")
        if not separator:
            raise CommandError("bad_time", f"'{word}' has no =; {_TIME_HELP}", USAGE)
        value = None if text.strip().lower() == "off" else _parsed(text, parse)
        for weekday in _weekdays(days):
            changed[weekday] = value
    return tuple(changed)


def _parsed(text: str, parse: Callable[[str], Value]) -> Value:
    try:
        return parse(text)
    except ValueError as error:
        raise CommandError("bad_time", f"{error}", USAGE) from None


def _weekdays(text: str) -> range:
    """Return the weekdays of ``mon``, ``mon-fri`` or ``all``."""
    if text.strip().lower() == "all":
        return range(len(_DAYS))
    first, _, last = text.partition("-")
    numbers = [_weekday(first), _weekday(last or first)]
    if numbers[0] is None or numbers[1] is None or numbers[0] > numbers[1]:
        raise CommandError("bad_time", f"'{text}' isn't a day or days; {_TIME_HELP}", USAGE)
    return range(numbers[0], numbers[1] + 1)


def _weekday(name: str) -> int | None:
    """Return the number of a weekday, from its name or the first three characters of it."""
    word = name.strip().lower()
    for number, weekday in enumerate(WEEKDAYS):
        if len(word) >= _SHORT_LENGTH and weekday.lower().startswith(word):
            return number
    return None


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CommandError(
            "bad_day", f"'{text}' isn't a day; write for example 2026-12-21", USAGE
        ) from None


def _as_json(
    settings: ScheduleSettings, pauses: Sequence[Pause], missed_at: str, next_at: str
) -> dict[str, object]:
    times = {
        day: format_clock(at)
        for day, at in zip(_DAYS, settings.times, strict=True)
        if at is not None
    }
    return {
        "times": times,
        "grace_minutes": settings.grace_minutes,
        "count": "complete" if settings.needs_half else "any",
        "pauses": [{"first": str(each.first), "last": str(each.last)} for each in pauses],
        "missing_since": missed_at or None,
        "next_expected": next_at or None,
    }


def _quiet_as_json(hours: QuietHours) -> dict[str, list[str]]:
    return {
        day: [format_clock(window.first), format_clock(window.last)]
        for day, window in zip(_DAYS, hours.windows, strict=True)
        if window is not None
    }
