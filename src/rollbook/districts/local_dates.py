"""The days of a district, which begin when it is midnight there."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from rollbook.districts.models import District


def local_date(district: District, moment: datetime) -> date:
    """The day it is in the district."""
    return moment.astimezone(ZoneInfo(district.time_zone)).date()


def local_midnight(district: District, day: date) -> datetime:
    """When the day begins there."""
    return datetime.combine(day, time(), ZoneInfo(district.time_zone))
