"""When a district's student file is expected, computed without the database.

On each weekday, the file is expected by one local time, or not at all. Pauses are whole local days.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MAX_PAUSE_DAYS = 366
MAX_DAYS_AHEAD = 800
"""More than the longest row of pauses that somebody would set."""

_TIME = re.compile(r"(\d{1,2})(?::(\d{2}))?\s*(?:([ap])\.?m\.?)?", re.IGNORECASE)
_NOON_HOUR, _HOURS, _MINUTES = 12, 24, 60


@dataclass(frozen=True, slots=True, order=True)
class Pause:
    """Days on which no file is expected, such as holidays.

    Attributes:
        first: The first of them.
        last: The last of them.
    """

    first: date
    last: date

    def covers(self, day: date) -> bool:
        """Return whether no file is expected on this day."""
        return self.first <= day <= self.last


@dataclass(frozen=True, slots=True)
class ExpectedFile:
    """One file that is expected.

    Attributes:
        day: The local day.
        at: By when.
        previous_at: By when the one before was expected, whether or not that was in a pause.
    """

    day: date
    at: datetime
    previous_at: datetime


@dataclass(frozen=True, slots=True)
class Schedule:
    """When files are expected.

    Attributes:
        times: For each weekday from Monday, by when; None: no file on this weekday.
        time_zone: The district's time zone, an IANA name.
        pauses: Days on which no file is expected.
    """

    times: tuple[time | None, ...]
    time_zone: str
    pauses: tuple[Pause, ...] = ()

    def last_due(self, at: datetime, since: datetime) -> ExpectedFile | None:
        """Return the file that was expected last, up to this moment.

        Args:
            at: The moment.
            since: What was expected before doesn't count.
        """
        zone = ZoneInfo(self.time_zone)
        day, first = at.astimezone(zone).date(), since.astimezone(zone).date()
        while day >= first:
            expected = self._on(day)
            if expected and since < expected.at <= at:
                return expected
            day -= timedelta(days=1)
        return None

    def next_after(self, at: datetime) -> ExpectedFile | None:
        """Return the file that is expected next, after this moment; None if there is none."""
        today = at.astimezone(ZoneInfo(self.time_zone)).date()
        for days in range(MAX_DAYS_AHEAD):
            expected = self._on(today + timedelta(days=days))
            if expected and expected.at > at:
                return expected
        return None

    def is_paused(self, day: date) -> bool:
        """Return whether a pause covers this day."""
        return any(pause.covers(day) for pause in self.pauses)

    def _on(self, day: date) -> ExpectedFile | None:
        at = self._moment(day)
        if at is None or self.is_paused(day):
            return None
        return ExpectedFile(day, at, self._moment_before(day))

    def _moment_before(self, day: date) -> datetime:
        """Return by when the file before was expected, which was at most a week earlier."""
        while True:
            day -= timedelta(days=1)
            if moment := self._moment(day):
                return moment

    def _moment(self, day: date) -> datetime | None:
        """Return by when a file would be expected on a day without a pause."""
        local = self.times[day.weekday()]
        return None if local is None else local_moment(day, local, self.time_zone)


def local_moment(day: date, local: time, time_zone: str) -> datetime:
    """Return the moment of a local time.

    A time that the clock skips is that long after the last one it shows; of two equal times, the
    first is meant.
    """
    return datetime.combine(day, local, ZoneInfo(time_zone)).astimezone(UTC)


def parse_time(text: str) -> time:
    """Return a time such as ``6:00``, ``6:00 AM`` or ``18:30``.

    Raises:
        ValueError: It is none; the text says so.
    """
    found = _TIME.fullmatch(text.strip())
    if found:
        hour, minute = int(found[1]), int(found[2] or 0)
        half = (found[3] or "").lower()
        is_clear = bool(found[2] or half)  # a number alone may mean the morning or the evening
        if half:
            is_clear = 0 < hour <= _NOON_HOUR
            hour = hour % _NOON_HOUR + (_NOON_HOUR if half == "p" else 0)
        if is_clear and hour < _HOURS and minute < _MINUTES:
            return time(hour, minute)
    raise ValueError(f"'{text[:20]}' isn't a time; write for example 6:00 AM or 18:30")
