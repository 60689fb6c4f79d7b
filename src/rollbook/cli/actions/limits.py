"""Runs ``rollbook limits``: shows, saves and tries limits, and expects changes."""

from argparse import Namespace
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone

from rollbook.cli import output
from rollbook.cli.audit_log import record
from rollbook.cli.commands.limits import ALL
from rollbook.cli.errors import OK, USAGE, CommandError
from rollbook.cli.lookup import get_district
from rollbook.cli.printed_text import add_facts
from rollbook.districts.local_dates import local_date, local_midnight
from rollbook.districts.models import District
from rollbook.text import count_of, format_timestamp
from rollbook.updates.models import Expectation, LimitSet
from rollbook.updates.planning import expectations, limit_changes, limit_file, limit_sets
from rollbook.updates.planning.expectations import LONGEST, Wanted
from rollbook.updates.planning.limit_changes import limit_text
from rollbook.updates.planning.limit_document import LimitDocument
from rollbook.updates.planning.limit_sets import CurrentLimits
from rollbook.updates.planning.limits import InvalidLimits, Limits
from rollbook.updates.planning.measures import MEASURES
from rollbook.updates.planning.reason_words import reason_sentence
from rollbook.updates.planning.rehearsal import Night, Rehearsal, rehearse
from rollbook.validation import ValidationFailed

_HEADERS = ("measure", "district", "one school")


def show(arguments: Namespace) -> int:
    """Print the limits of a district."""
    district = get_district(arguments.district)
    current = limit_sets.find_current(district.pk)
    if arguments.version is not None:
        current = _find_version(district, arguments.version)
    if arguments.json:
        print(output.to_json(current.document.as_json()))
        return OK
    print(f"{district.name}: {_version_text(current, district)}\n")
    print("\n".join(_lines(current.document, district)))
    return OK


def set_limits(arguments: Namespace) -> int:
    """Save a new version of the limits."""
    district = get_district(arguments.district)
    document = read_document(arguments.file)
    with transaction.atomic():
        made = limit_changes.change(district, document, None, timezone.now())
        if made:
            record("limits set", district, str(made))
    if made is None:
        print(f"{district.name} has these limits already; nothing was changed.")
        return OK
    add_facts(arguments, version=made.version)
    print(f"Saved version {made.version} of the limits of {district.name}:")
    print("\n".join(f"  {change}" for change in made.changes))
    return OK


def try_limits(arguments: Namespace) -> int:
    """Print which past updates limits would have held."""
    district = get_district(arguments.district)
    document = limit_sets.find_current(district.pk).document
    if arguments.file:
        document = read_document(arguments.file)
    result = rehearse(district, document, timezone.now())
    if arguments.json:
        print(output.to_json(_as_json(result)))
        return OK
    print(result)
    for night in result.nights:
        print("\n".join(_night_lines(night, district)))
    if result.held > len(result.nights):
        print(f"\n... and {count_of(result.held - len(result.nights), 'older update')}")
    return OK


def expect(arguments: Namespace) -> int:
    """Expect changes, end an expectation, or list them."""
    district = get_district(arguments.district)
    if arguments.end is not None and arguments.columns is not None:
        raise CommandError("end_or_columns", "use either --end or --columns", USAGE)
    if arguments.end is not None:
        _end(district, arguments.end)
    elif arguments.columns is not None:
        _expect(district, arguments)
    elif arguments.until or arguments.one_update:
        raise CommandError(
            "no_columns", "name the columns that may change, with --columns GRADE,SCHOOL_ID", USAGE
        )
    _print_active(district, as_json=arguments.json)
    return OK


def _find_version(district: District, version: int) -> CurrentLimits:
    found = limit_sets.find_version(district.pk, version)
    if found is None:
        raise CommandError(
            "no_such_version",
            f"{district.name} has no version {version} of its limits; "
            f"`rollbook limits show {district.slug}` shows the latest",
        )
    return CurrentLimits(found, LimitDocument.from_json(found.document))


def read_document(path: Path) -> LimitDocument:
    """Return the limits of a file.

    Raises:
        CommandError: It isn't a limits document.
    """
    try:
        return limit_file.read_file(path)
    except InvalidLimits as error:
        raise CommandError("bad_limits", f"{path}: {error}; nothing was changed") from None


def _version_text(current: CurrentLimits, district: District) -> str:
    if current.limit_set is None:
        return "default limits"
    saved = format_timestamp(current.limit_set.created_at, district.time_zone)
    return f"limits, version {current.version}, saved {saved} by {_saved_by(current.limit_set)}"


def _saved_by(limit_set: LimitSet) -> str:
    return limit_set.member.email if limit_set.member else "the Rollbook administrator"


def _lines(document: LimitDocument, district: District) -> Iterator[str]:
    now = timezone.now()
    yield from _table(document.limits)
    _, current = document.limits_on(local_date(district, now))
    for profile in document.profiles:
        applies = ", applies now" if profile.name == current else ""
        yield f"\nprofile {profile.name} from {profile.first} to {profile.last}{applies}"
        yield from _table(profile.limits)
    second = "must be approved by a second person"
    if not document.second_person:
        second = "may be approved by who started it"
    hours = count_of(document.discard_after_hours, "hour")
    yield f"\nwhen a limit is exceeded: {document.when_exceeded}"
    yield f"a plan {second}, and is discarded after {hours} if nobody decides"
    for expectation in limit_sets.find_expectations(district.pk, now):
        yield f"expected: {expectations.describe(expectation)}"


def _table(limits: Limits) -> Iterator[str]:
    rows = [
        (name, limit_text(limits.district.get(name)), limit_text(limits.school.get(name)))
        for name in MEASURES
    ]
    yield from output.table(_HEADERS, rows)


def _night_lines(night: Night, district: District) -> Iterator[str]:
    held = ", held then, too" if night.was_held else ""
    yield f"\nupdate {night.number}, {format_timestamp(night.at, district.time_zone)}{held}"
    for reason in night.reasons:
        yield f"  {reason_sentence(reason)}"
    if night.more_reasons:
        yield f"  and {count_of(night.more_reasons, 'other limit')}"


def _as_json(result: Rehearsal) -> dict[str, object]:
    nights = [
        {
            "update": night.number,
            "at": night.at,
            "was_held": night.was_held,
            "reasons": [reason.as_json() for reason in night.reasons],
            "more_reasons": night.more_reasons,
        }
        for night in result.nights
    ]
    return {
        "judged": result.judged,
        "would_be_held": result.held,
        "were_held": result.were_held,
        "updates": nights,
    }


def _expect(district: District, arguments: Namespace) -> None:
    now = timezone.now()
    if arguments.one_update:
        until = now + LONGEST
    elif arguments.until:
        until = _until(district, arguments.until)
    else:
        raise CommandError(
            "no_end", "say when it ends, with --until 2027-07-02 or --one-update", USAGE
        )
    wanted = Wanted(tuple(arguments.columns.split(",")), until, arguments.one_update)
    try:
        with transaction.atomic():
            stored = expectations.expect(district, wanted, None, now)
            record("limits expect", district, expectations.describe(stored))
    except ValidationFailed as failed:
        raise CommandError("bad_expectation", f"{failed}; nothing was changed", USAGE) from None


def _end(district: District, number: str) -> None:
    now = timezone.now()
    active = {str(each.pk): each for each in limit_sets.find_expectations(district.pk, now)}
    chosen = [each for key, each in active.items() if number in {ALL, key}]
    if not chosen:
        raise CommandError(
            "no_such_expectation",
            "no such change is expected now; "
            f"`rollbook limits expect {district.slug}` lists those that are",
        )
    for each in chosen:
        with transaction.atomic():
            if expectations.end(district, each.pk, now):
                record("limits expect end", district, expectations.describe(each))


def _until(district: District, text: str) -> datetime:
    """Return the time that is meant; of a day without a time, its end."""
    try:
        if len(text) == len("2027-07-02"):
            return local_midnight(district, date.fromisoformat(text) + timedelta(days=1))
        at = datetime.fromisoformat(text)
        local = at if at.tzinfo else at.replace(tzinfo=ZoneInfo(district.time_zone))
        return local.astimezone(UTC)
    except (ValueError, OverflowError):
        raise CommandError(
            "bad_time",
            f"'{text}' isn't a time; write for example \"2027-07-02 18:00\", or 2027-07-02 for "
            "the end of that day",
            USAGE,
        ) from None


def _print_active(district: District, *, as_json: bool) -> None:
    active = limit_sets.find_expectations(district.pk, timezone.now())
    if as_json:
        print(output.to_json(list(map(_expectation_as_json, active))))
    elif active:
        print("\n".join(f"{each.pk}: {expectations.describe(each)}" for each in active))
    else:
        print(f"{district.name} expects no changes.")


def _expectation_as_json(expectation: Expectation) -> dict[str, object]:
    return {
        "number": expectation.pk,
        "columns": expectation.columns,
        "until": expectation.until,
        "for_one_update": expectation.is_for_one_update,
    }
