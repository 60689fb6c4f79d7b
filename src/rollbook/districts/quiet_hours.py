"""The hours of a week in which a district's students don't change by themselves.

An update whose rows are checked in quiet hours waits for their end, unless a person applies it
earlier. On each weekday, quiet hours are from one local time to another one; if that isn't later,
they end on the next day.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from rollbook.districts.file_schedule import WEEKDAYS, local_moment, parse_time
from rollbook.districts.models import District
from rollbook.text import format_clock

_SEPARATORS = ("–", " to ", "-")
_MOST = 2 * len(WEEKDAYS)
"""Each window is shorter than a day, so those of a week always leave a gap, and fewer than this
follow each other without one."""


class Window(NamedTuple):
    """Quiet hours of one weekday.

    Attributes:
        first: The local time at which they begin.
        last: The local time at which they end; on the next day if it isn't later.
    """

    first: time
    last: time

    def __str__(self) -> str:
        """Return both times, such as ``7:30 AM–3:30 PM``."""
        return f"{format_clock(self.first)}–{format_clock(self.last)}"


@dataclass(frozen=True, slots=True)
class QuietHours:
    """The quiet hours of a week.

    Attributes:
        windows: For each weekday from Monday, its quiet hours; None if it has none.
        time_zone: The district's time zone, an IANA name.
    """

    windows: tuple[Window | None, ...]
    time_zone: str

    def end_after(self, at: datetime) -> datetime | None:
        """Return when the quiet hours end that a moment is in; None if it is in none.

        Of quiet hours that follow each other without a gap, this is the end of the last ones.
        """
        end = at
        for _ in range(_MOST):
            following = self._end_of_those_at(end)
            if following is None:
                return end if end > at else None
            end = following
        return end

    def _end_of_those_at(self, at: datetime) -> datetime | None:
        today = at.astimezone(ZoneInfo(self.time_zone)).date()
        ends = [
            end
            for day in (today - timedelta(days=1), today)
            for first, end in self._on(day)
            if first <= at < end
        ]
        return max(ends, default=None)

    def _on(self, day: date) -> list[tuple[datetime, datetime]]:
        """Return when the quiet hours of a day begin and end."""
        window = self.windows[day.weekday()]
        if window is None:
            return []
        last_day = day if window.first < window.last else day + timedelta(days=1)
        first = local_moment(day, window.first, self.time_zone)
        return [(first, local_moment(last_day, window.last, self.time_zone))]

    def __str__(self) -> str:
        """Return the quiet hours in words, for the audit and the command line."""
        days = [
            f"{name} {window}"
            for name, window in zip(WEEKDAYS, self.windows, strict=True)
            if window is not None
        ]
        return ", ".join(days) if days else "no quiet hours"


def of_district(district: District) -> QuietHours:
    """Return the quiet hours of a district."""
    stored: Sequence[Sequence[str]] = district.quiet_hours or [[]] * len(WEEKDAYS)
    windows = [Window(*map(time.fromisoformat, times)) if times else None for times in stored]
    return QuietHours(tuple(windows), district.time_zone)


def save(district: District, windows: Sequence[Window | None]) -> bool:
    """Store quiet hours, for each weekday from Monday; return whether that is a change."""
    if QuietHours(tuple(windows), district.time_zone) == of_district(district):
        return False
    stored = [
        [f"{window.first:%H:%M}", f"{window.last:%H:%M}"] if window else [] for window in windows
    ]
    district.quiet_hours = stored if any(stored) else []
    district.save(update_fields=["quiet_hours"])
    return True


def parse_window(text: str) -> Window:
    """Return quiet hours such as ``7:30 AM–3:30 PM``, ``7:30-15:30`` or ``7:30 to 15:30``.

    Raises:
        ValueError: They aren't; the text says so.
    """
    for separator in _SEPARATORS:
        first, found, last = text.partition(separator)
        if found:
            window = Window(parse_time(first), parse_time(last))
            if window.first == window.last:
                raise ValueError("the quiet hours end when they begin")
            return window
    raise ValueError(f"'{text[:30]}' has no end; write for example 7:30 AM–3:30 PM")
