"""Format dates and times for pages, in the American way and in the district's time zone."""

from datetime import date, datetime
from zoneinfo import ZoneInfo


def us_date(day: date) -> str:
    """Return the date: ``Nov 28, 2026``."""
    return f"{day:%b} {day.day}, {day.year}"


def us_datetime(at: datetime, time_zone: str) -> str:
    """Return date and time in this time zone: ``Nov 28, 2026, 2:05 AM CST``."""
    local = at.astimezone(ZoneInfo(time_zone))
    return f"{us_date(local)}, {_clock(local)}"


def us_time(at: datetime, now: datetime, time_zone: str) -> str:
    """Return the time in this time zone, ``2:05 AM CST``, after the date unless that is today's."""
    local = at.astimezone(ZoneInfo(time_zone))
    if now.astimezone(local.tzinfo).date() == local.date():
        return _clock(local)
    return us_datetime(at, time_zone)


def _clock(local: datetime) -> str:
    hour = local.hour % 12 or 12
    return f"{hour}:{local:%M %p %Z}"
