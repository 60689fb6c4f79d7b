"""Quiet hours: when they end, in all time zones, and how they are written."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from rollbook.districts import quiet_hours
from rollbook.districts.models import District
from rollbook.districts.quiet_hours import QuietHours, Window, parse_window

SCHOOL = Window(time(7, 30), time(15, 30))
NIGHT = Window(time(22), time(6))
CHICAGO = "America/Chicago"


def week(*windows: Window | None, zone: str = CHICAGO) -> QuietHours:
    """Return quiet hours of the days from Monday; the other days have none."""
    return QuietHours((*windows, *[None] * (7 - len(windows))), zone)


def local(text: str, zone: str = CHICAGO) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


@pytest.mark.parametrize(
    ("at", "end"),
    [
        ("2026-11-30 07:29:59", None),
        ("2026-11-30 07:30", "2026-11-30 15:30"),
        ("2026-11-30 15:29:59", "2026-11-30 15:30"),
        ("2026-11-30 15:30", None),
        ("2026-12-01 12:00", None),  # a Tuesday
    ],
)
def test_they_end_at_their_last_time(at: str, end: str | None) -> None:
    assert week(SCHOOL).end_after(local(at)) == (local(end) if end else None)


def test_they_may_end_on_the_next_day() -> None:
    hours = week(NIGHT)
    assert hours.end_after(local("2026-11-30 23:00")) == local("2026-12-01 06:00")
    assert hours.end_after(local("2026-12-01 05:59")) == local("2026-12-01 06:00")
    assert hours.end_after(local("2026-11-30 05:00")) is None


def test_of_those_that_follow_each_other_the_last_end_counts() -> None:
    hours = week(Window(time(8), time(0)), Window(time(0), time(12)), Window(time(12), time(13)))
    assert hours.end_after(local("2026-11-30 09:00")) == local("2026-12-01 12:00")


@pytest.mark.parametrize(
    ("window", "at", "end"),
    [
        # 2:00 AM to 3:00 AM doesn't exist on March 8, and 1:00 AM to 2:00 AM occurs twice on
        # November 1.
        (Window(time(1), time(2, 30)), "2026-03-08T07:30+00:00", "2026-03-08T08:30+00:00"),
        (Window(time(2, 15), time(2, 45)), "2026-03-08T08:20+00:00", "2026-03-08T08:45+00:00"),
        (Window(time(0), time(1, 30)), "2026-11-01T06:00+00:00", "2026-11-01T06:30+00:00"),
        (Window(time(0), time(1, 30)), "2026-11-01T07:10+00:00", None),
        (Window(time(0), time(3)), "2026-11-01T08:30+00:00", "2026-11-01T09:00+00:00"),
    ],
)
def test_days_on_which_the_clock_changes(window: Window, at: str, end: str | None) -> None:
    hours = QuietHours((None,) * 6 + (window,), CHICAGO)
    expected = datetime.fromisoformat(end) if end else None
    assert hours.end_after(datetime.fromisoformat(at)) == expected


@pytest.mark.parametrize("zone", [CHICAGO, "Australia/Sydney", "UTC"])
def test_through_a_year_they_agree_with_the_local_clock(zone: str) -> None:
    hours = QuietHours((SCHOOL,) * 5 + (None, None), zone)
    at = datetime(2026, 1, 1, tzinfo=UTC)
    for _ in range(365 * 4):
        at += timedelta(hours=6, minutes=7)
        here = at.astimezone(ZoneInfo(zone))
        is_quiet = here.weekday() < 5 and SCHOOL.first <= here.time() < SCHOOL.last
        end = hours.end_after(at)
        assert (end is not None) == is_quiet
        if end:
            assert end.astimezone(ZoneInfo(zone)).time() == SCHOOL.last
            assert timedelta() < end - at <= timedelta(hours=8)


def test_the_longest_of_every_day_end() -> None:
    longest = [Window(time(6), time(5, 59))] * 7
    for minutes in range(0, 7 * 24 * 60, 61):
        at = local("2026-11-30 00:00") + timedelta(minutes=minutes)
        end = week(*longest).end_after(at)
        assert end is None or timedelta() < end - at <= timedelta(days=1)


def test_they_are_stored_and_read_again(maple: District) -> None:
    windows = [SCHOOL] * 5 + [NIGHT, None]
    assert quiet_hours.save(maple, windows)
    assert not quiet_hours.save(maple, windows)
    stored = quiet_hours.of_district(District.objects.get(pk=maple.pk))
    assert stored.windows == tuple(windows)
    assert str(stored).endswith("Friday 7:30 AM–3:30 PM, Saturday 10:00 PM–6:00 AM")
    assert quiet_hours.save(maple, [None] * 7)
    assert str(quiet_hours.of_district(maple)) == "no quiet hours"


@pytest.mark.parametrize(
    "text", ["7:30 AM–3:30 PM", "7:30-15:30", "7:30am - 3:30 p.m.", "07:30 to 15:30"]
)
def test_they_can_be_written_in_several_ways(text: str) -> None:
    assert parse_window(text) == SCHOOL


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("7:30", "'7:30' has no end; write for example 7:30 AM–3:30 PM"),
        ("7-15", "'7' isn't a time"),
        ("7:30-25:00", "'25:00' isn't a time"),
        ("7:30-7:30 AM", "the quiet hours end when they begin"),
        ("-15:30", "'' isn't a time"),
    ],
)
def test_what_is_no_window_is_an_error(text: str, error: str) -> None:
    with pytest.raises(ValueError, match=error):
        parse_window(text)
