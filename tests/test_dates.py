"""Test the American form of dates and times, in the district's time zone."""

from datetime import UTC, date, datetime, timedelta

import pytest

from rollbook.text import format_date, format_datetime, format_short_time

CHICAGO = "America/Chicago"
NIGHT = datetime(2026, 11, 28, 8, 5, 11, tzinfo=UTC)


def test_a_date_has_no_leading_zero() -> None:
    assert format_date(date(2026, 11, 2)) == "Nov 2, 2026"


@pytest.mark.parametrize(
    ("hours", "text"),
    [
        (0, "Nov 28, 2026, 2:05 AM CST"),
        (-2, "Nov 28, 2026, 12:05 AM CST"),
        (10, "Nov 28, 2026, 12:05 PM CST"),
        (20, "Nov 28, 2026, 10:05 PM CST"),
        (24 * 180, "May 27, 2027, 3:05 AM CDT"),
    ],
)
def test_a_time_has_twelve_hours_and_the_zone(hours: int, text: str) -> None:
    assert format_datetime(NIGHT + timedelta(hours=hours), CHICAGO) == text


def test_the_date_is_left_out_today() -> None:
    assert format_short_time(NIGHT, NIGHT + timedelta(hours=21), CHICAGO) == "2:05 AM CST"
    tomorrow = NIGHT + timedelta(hours=22)
    assert format_short_time(NIGHT, tomorrow, CHICAGO) == "Nov 28, 2026, 2:05 AM CST"
