"""Dates in the time zone of a district."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from rollbook.districts.models import District


def local_date(district: District, moment: datetime) -> date:
    """Return the date of a moment in the district's time zone."""
    return moment.astimezone(ZoneInfo(district.time_zone)).date()


def local_midnight(district: District, day: date) -> datetime:
    """Return the moment at which a day begins in the district's time zone."""
    return datetime.combine(day, time(), ZoneInfo(district.time_zone))
