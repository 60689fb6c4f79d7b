"""When student files are expected: pure computation over zones, clock changes and pauses."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbook.districts.file_schedule import (
    ExpectedFile,
    Pause,
    Schedule,
    parse_time,
)
from rollbook.text import format_clock

ZONES = ("America/Chicago", "Australia/Sydney", "UTC", "America/St_Johns", "Asia/Kathmandu")
SCHOOL_DAYS = (time(6), time(6), time(6), time(6), time(6), None, None)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
YEAR = [date(2026, 8, 1) + timedelta(days=days) for days in range(366)]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def local(zone: str, text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def test_a_file_is_due_from_its_time_until_the_next_one() -> None:
    schedule = Schedule(SCHOOL_DAYS, "America/Chicago")
    friday = ExpectedFile(date(2026, 11, 27), utc("2026-11-27T12:00"), utc("2026-11-26T12:00"))
    for at in ("2026-11-27T06:00", "2026-11-28T23:00", "2026-11-30T05:59:59"):
        assert schedule.last_due(local("America/Chicago", at), LONG_AGO) == friday
    monday = schedule.last_due(local("America/Chicago", "2026-11-30T06:00"), LONG_AGO)
    assert monday == ExpectedFile(date(2026, 11, 30), utc("2026-11-30T12:00"), friday.at)


def test_the_next_file_is_the_first_one_after_the_moment() -> None:
    schedule = Schedule(SCHOOL_DAYS, "UTC", (Pause(date(2026, 11, 30), date(2026, 12, 1)),))
    found = schedule.next_after(utc("2026-11-27T06:00"))
    assert found
    assert found.day == date(2026, 12, 2)
    # The window of the first file after a pause begins with the last time inside the pause.
    assert found.previous_at == utc("2026-12-01T06:00")


def test_nothing_is_expected_without_times_nor_in_an_endless_pause() -> None:
    assert Schedule((None,) * 7, "UTC").next_after(utc("2026-11-27T06:00")) is None
    assert Schedule((None,) * 7, "UTC").last_due(utc("2026-11-27T06:00"), LONG_AGO) is None
    paused = Schedule(SCHOOL_DAYS, "UTC", (Pause(date(2026, 1, 1), date(2099, 1, 1)),))
    assert paused.next_after(utc("2026-11-27T06:00")) is None
    assert paused.last_due(utc("2026-11-27T06:00"), utc("2026-10-01T00:00")) is None


def test_what_was_expected_before_the_schedule_was_set_does_not_count() -> None:
    schedule = Schedule(SCHOOL_DAYS, "UTC")
    assert schedule.last_due(utc("2026-11-27T07:00"), utc("2026-11-27T06:00")) is None
    due = schedule.last_due(utc("2026-11-27T07:00"), utc("2026-11-27T05:59"))
    assert due
    assert due.day == date(2026, 11, 27)


@pytest.mark.parametrize(
    ("zone", "day", "at", "expected"),
    [
        # the hour that the clock skips: 2:30 is half an hour after the last minute before it
        ("America/Chicago", date(2027, 3, 14), time(2, 30), "2027-03-14T08:30"),
        ("America/Chicago", date(2027, 3, 14), time(3, 0), "2027-03-14T08:00"),
        # the hour that the clock shows twice: the first one
        ("America/Chicago", date(2026, 11, 1), time(1, 30), "2026-11-01T06:30"),
        ("Australia/Sydney", date(2026, 10, 4), time(2, 30), "2026-10-03T16:30"),
        ("Australia/Sydney", date(2027, 4, 4), time(2, 30), "2027-04-03T15:30"),
        ("UTC", date(2026, 11, 1), time(1, 30), "2026-11-01T01:30"),
    ],
)
def test_a_time_that_the_clock_skips_or_shows_twice_is_expected_once(
    zone: str, day: date, at: time, expected: str
) -> None:
    schedule = Schedule((at,) * 7, zone)
    moment = utc(expected)
    due = schedule.last_due(moment, LONG_AGO)
    assert due
    assert (due.day, due.at) == (day, moment)
    before = schedule.last_due(moment - timedelta(seconds=1), LONG_AGO)
    assert before
    assert before.day == day - timedelta(days=1)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("at", [time(0), time(1, 30), time(2, 30), time(6), time(23, 59)])
def test_in_a_year_each_day_without_a_pause_is_due_exactly_once(zone: str, at: time) -> None:
    pause = Pause(date(2026, 12, 21), date(2027, 1, 3))
    schedule = Schedule((at,) * 5 + (None, None), zone, (pause,))
    start = local(zone, "2026-08-01T00:00").astimezone(UTC)
    moments = [start + timedelta(hours=hours) for hours in range(24 * 367)]
    due = [schedule.last_due(moment, start) for moment in moments]
    days = [file.day for file in due if file]
    assert days == sorted(days)
    wanted = {day for day in YEAR if day.weekday() < 5 and not pause.covers(day)}
    assert wanted <= set(days)
    assert set(days) - wanted <= {date(2027, 8, 2)}


@given(
    st.lists(st.none() | st.times(), min_size=7, max_size=7).filter(any),
    st.sampled_from(ZONES),
    st.integers(0, 2 * 365 * 24 * 60).map(
        lambda minutes: LONG_AGO + timedelta(minutes=minutes + 3_000_000)
    ),
)
def test_the_last_and_the_next_file_enclose_the_moment(
    times: list[time | None], zone: str, now: datetime
) -> None:
    schedule = Schedule(tuple(times), zone)
    last, following = schedule.last_due(now, LONG_AGO), schedule.next_after(now)
    assert last
    assert following
    assert last.at <= now < following.at
    assert last.previous_at < last.at
    assert following.previous_at == last.at


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("6:00", time(6)),
        ("06:00", time(6)),
        (" 6:05 AM ", time(6, 5)),
        ("6am", time(6)),
        ("12 AM", time(0)),
        ("12:30 p.m.", time(12, 30)),
        ("11:59 PM", time(23, 59)),
        ("18:30", time(18, 30)),
        ("0:00", time(0)),
    ],
)
def test_times_are_read_as_people_write_them(text: str, expected: time) -> None:
    assert parse_time(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "6", "18", "24:00", "6:60", "0 AM", "13:00 PM", "6:0", "six", "6:00 UTC", "06:00:00"],
)
def test_a_text_that_is_no_time_or_an_unclear_one_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="isn't a time; write for example 6:00 AM"):
        parse_time(text)


@given(st.times().map(lambda at: at.replace(second=0, microsecond=0)))
def test_a_time_is_read_as_it_is_shown(at: time) -> None:
    assert parse_time(format_clock(at)) == at
