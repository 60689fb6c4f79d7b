"""Whether this machine's clock can be believed, and whether it knows the time zones."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import available_timezones

from django.db import connection

from rollbook.districts.models import District
from rollbook.doctor.installation import Installation
from rollbook.doctor.result import CheckResult, error, ok, warning
from rollbook.text import duration, join_words

TOLERANCE = timedelta(seconds=2)
LARGE_OFFSET = timedelta(minutes=1)
_SYNC = "let the system set its clock by the network: `timedatectl set-ntp true`"
MAX_FILES = 1000  # files


def check(here: Installation) -> Iterator[CheckResult]:
    """Against the files, against the database, and against what must be installed."""
    problems = [*_against_files(here), *_against_database(here), *_zones(here)]
    yield from problems
    if not problems:
        yield ok(f"it is {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC, and time zones are known")


def _against_files(here: Installation) -> Iterator[CheckResult]:
    """The clock was set back, or is not the one by which they were written."""
    now, data = datetime.now(UTC), here.data
    if here.missing_requirement("folder"):
        return
    for path, _ in zip((*data.glob("*"), *data.glob("spool/*")), range(MAX_FILES), strict=False):
        written = datetime.fromtimestamp(path.lstat().st_mtime, UTC)
        if written > now + LARGE_OFFSET:
            yield error(
                f"it is {now:%Y-%m-%d %H:%M:%S} UTC here, but {path} was written {duration(written - now)} later",
                _SYNC,
            )
            return


def _against_database(here: Installation) -> Iterator[CheckResult]:
    if not here.database or connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        before = datetime.now(UTC)
        cursor.execute("SELECT clock_timestamp()")
        there = cursor.fetchone()[0]
        after = datetime.now(UTC)
    ahead = max(there - after, before - there)  # below zero: the answer came in between
    way = "ahead of" if there > after else "behind"
    if ahead > TOLERANCE:
        make = error if ahead > LARGE_OFFSET else warning
        yield make(
            f"the database's clock is {duration(ahead)} {way} this machine's",
            f"on both machines {_SYNC}",
        )


def _zones(here: Installation) -> Iterator[CheckResult]:
    known = available_timezones()
    if "America/Chicago" not in known:
        yield error(
            "this machine knows no time zones",
            "install them: `apt install tzdata`, or `pip install tzdata`",
        )
        return
    unknown = sorted(_of_districts(here) - known)
    if unknown:
        yield error(
            f"this machine does not know the time zone {join_words(unknown)} of a district",
            "bring its time zones up to date (the package tzdata), or set another with `rollbook district set`",
        )


def _of_districts(here: Installation) -> set[str]:
    if not here.tables:
        return set()
    return set(District.objects.values_list("time_zone", flat=True).distinct())
