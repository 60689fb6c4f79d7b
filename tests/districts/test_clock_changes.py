"""Nights on which the clock of a district is put forward or back."""

from datetime import UTC, date, datetime, timedelta

import pytest

from rollbook.districts.local_dates import local_date, local_midnight
from rollbook.districts.models import District
from rollbook.text import format_time, format_timestamp
from rollbook.updates.models import UpdateJob
from rollbook.updates.reporting.overview import MISSING_AFTER, load_overview
from tests.updates.night import a_class, enroll

FORWARD, BACK = date(2026, 3, 8), date(2026, 11, 1)


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("America/Chicago", FORWARD, 23),
        ("America/Chicago", BACK, 25),
        ("America/Phoenix", FORWARD, 24),
        ("America/Havana", FORWARD, 23),  # at midnight, which does not exist on that day
    ],
)
def test_each_moment_of_the_day_belongs_to_it(zone: str, day: date, hours: int) -> None:
    district = District(time_zone=zone)
    begin = local_midnight(district, day).astimezone(UTC)
    end = local_midnight(district, day + timedelta(days=1)).astimezone(UTC)
    assert end - begin == timedelta(hours=hours)
    moments = [begin + timedelta(minutes=minutes) for minutes in range(hours * 60)]
    assert {local_date(district, moment) for moment in moments} == {day}


def test_the_hour_that_comes_twice_is_told_apart() -> None:
    first = datetime(2026, 11, 1, 6, 30, tzinfo=UTC)
    again = first + timedelta(hours=1)
    shown = [format_timestamp(moment, "America/Chicago") for moment in (first, again)]
    assert shown == ["2026-11-01 01:30:00 CDT", "2026-11-01 01:30:00 CST"]
    assert format_time(first, again, "America/Chicago") == "01:30:00 CDT"


@pytest.mark.parametrize("change", [FORWARD, BACK])
def test_a_nightly_file_is_missed_after_as_many_hours_as_on_other_nights(
    maple: District, change: date
) -> None:
    received = datetime(change.year, change.month, change.day, 2, 5, tzinfo=UTC)
    enroll(maple, a_class(2))
    UpdateJob.objects.update(received_at=received)
    [in_time] = load_overview(received + MISSING_AFTER)
    [late] = load_overview(received + MISSING_AFTER + timedelta(seconds=1))
    assert in_time.problems == ()
    assert late.problems == ("no good file for 36 hours",)
