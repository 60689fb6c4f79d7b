"""Checks this machine's clock and its time zone data."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import available_timezones

from django.db import connection

from rollbook.accounts import retention_guard
from rollbook.districts.models import District
from rollbook.doctor.installation import Installation
from rollbook.doctor.result import CheckResult, error, ok, warning
from rollbook.text import format_duration, join_words

TOLERANCE = timedelta(seconds=2)
LARGE_OFFSET = timedelta(minutes=1)
_SYNC = "turn on time synchronization: `timedatectl set-ntp true`"
MAX_FILES = 1000


def check(installation: Installation) -> Iterator[CheckResult]:
    """Compare the clock with the files and the database, and check the time zones."""
    problems = [
        *_against_files(installation),
        *_against_database(installation),
        *_retention(installation),
        *_zones(installation),
    ]
    yield from problems
    if not problems:
        yield ok(
            f"it is {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC, and all time zones are available"
        )


def _against_files(installation: Installation) -> Iterator[CheckResult]:
    """Find a file written in the future: the clock was set back, or another one was used."""
    now, data = datetime.now(UTC), installation.data
    if installation.missing_requirement("folder"):
        return
    for path, _ in zip((*data.glob("*"), *data.glob("spool/*")), range(MAX_FILES), strict=False):
        written = datetime.fromtimestamp(path.lstat().st_mtime, UTC)
        if written > now + LARGE_OFFSET:
            yield error(
                f"it is {now:%Y-%m-%d %H:%M:%S} UTC on this machine, "
                f"but {path} was written {format_duration(written - now)} later",
                _SYNC,
            )
            return


def _against_database(installation: Installation) -> Iterator[CheckResult]:
    if not installation.database or connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        before = datetime.now(UTC)
        cursor.execute("SELECT clock_timestamp()")
        database_time = cursor.fetchone()[0]
        after = datetime.now(UTC)
    ahead = max(database_time - after, before - database_time)  # negative: in between
    way = "ahead of" if database_time > after else "behind"
    if ahead > TOLERANCE:
        make = error if ahead > LARGE_OFFSET else warning
        yield make(
            f"the database's clock is {format_duration(ahead)} {way} this machine's",
            f"on both machines, {_SYNC}",
        )


def _retention(installation: Installation) -> Iterator[CheckResult]:
    """Find out whether retention was stopped because of a clock."""
    if not installation.tables:
        return
    guard = retention_guard.stopped()
    if guard:
        yield error(
            f"retention is stopped: {guard.reason}",
            "check the clocks of all machines, then run `rollbook retention resume`",
        )


def _zones(installation: Installation) -> Iterator[CheckResult]:
    known = available_timezones()
    if "America/Chicago" not in known:
        yield error(
            "this machine has no time zone data",
            "install it: `apt install tzdata`, or `pip install tzdata`",
        )
        return
    unknown = sorted(_of_districts(installation) - known)
    if unknown:
        yield error(
            f"this machine has no data for the time zone {join_words(unknown)} of a district",
            "update the package tzdata, or set another time zone with `rollbook district set`",
        )


def _of_districts(installation: Installation) -> set[str]:
    if not installation.tables:
        return set()
    return set(District.objects.values_list("time_zone", flat=True).distinct())
