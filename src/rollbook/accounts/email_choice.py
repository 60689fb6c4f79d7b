"""Which emails about updates a person gets, and when a weekly summary is due."""

from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

SENT_AT = time(7)
"""The local time of a Monday from which on the summary of the week before is sent."""


class EmailChoice(StrEnum):
    """Which emails about updates a person gets; what can't wait is always sent."""

    ALWAYS = "always"
    NEEDED = "needed"
    WEEKLY = "weekly"

    def wants(self, *, is_urgent: bool, needs_person: bool) -> bool:
        """Return whether a person with this choice gets an email about an update.

        Args:
            is_urgent: Whether a whole file wasn't applied.
            needs_person: Whether there is something to look at, such as a rejected row.
        """
        if self is EmailChoice.WEEKLY:
            return is_urgent
        return is_urgent or needs_person or self is EmailChoice.ALWAYS


def last_summary_day(time_zone: str, now: datetime) -> date:
    """Return the newest local Monday whose summary is due.

    Args:
        time_zone: The time zone of the district.
        now: The current time.
    """
    local = now.astimezone(ZoneInfo(time_zone))
    monday = local.date() - timedelta(days=local.weekday())
    if local.date() == monday and local.time() < SENT_AT:
        return monday - timedelta(days=7)
    return monday
