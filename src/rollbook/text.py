"""Format numbers, times and lists for people: in answers, emails, pages and commands."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

MINUTE_S = 60
HOUR_S = 60 * MINUTE_S
BYTES_PER_UNIT = 1000


def format_number(number: int) -> str:
    """Return a number with separators, such as ``4,812``."""
    return f"{number:,}"


def count_of(count: int, noun: str) -> str:
    """Return a number with its noun, such as ``4,812 students`` or ``1 student``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def was_or_were(count: int) -> str:
    """Return the verb that follows a count in the past."""
    return "was" if count == 1 else "were"


def format_bytes(count: int) -> str:
    """Return a size, such as ``950 bytes`` or ``12.3 MB``."""
    if count < BYTES_PER_UNIT:
        return f"{count:,} bytes"
    size, units = count / BYTES_PER_UNIT, iter(("kB", "MB", "GB"))
    unit = next(units)
    while size >= BYTES_PER_UNIT and unit != "GB":
        size, unit = size / BYTES_PER_UNIT, next(units)
    return f"{size:,.1f} {unit}"


def format_datetime(at: datetime | None, time_zone: str) -> str:
    """Return a date and time in the district's time zone, such as ``Nov 28, 2026, 2:05 AM CST``.

    For pages and emails. Without a time, the text is empty.
    """
    if at is None:
        return ""
    local = at.astimezone(ZoneInfo(time_zone))
    return f"{format_date(local)}, {_clock(local)}"


def format_short_time(at: datetime, now: datetime, time_zone: str) -> str:
    """Return a time in the district's time zone, such as ``2:05 AM CST``.

    If it isn't today, the date is added, as in ``format_datetime``.
    """
    local = at.astimezone(ZoneInfo(time_zone))
    if now.astimezone(local.tzinfo).date() != local.date():
        return format_datetime(at, time_zone)
    return _clock(local)


def format_date(day: date) -> str:
    """Return a date, such as ``Nov 28, 2026``."""
    return f"{day:%b} {day.day}, {day.year}"


def format_clock(at: time) -> str:
    """Return a time of day, such as ``6:00 AM``."""
    return f"{at.hour % 12 or 12}:{at:%M %p}"


def _clock(local: datetime) -> str:
    return f"{format_clock(local.time())} {local:%Z}"


def format_timestamp(at: datetime | None, time_zone: str) -> str:
    """Return a date and time in the district's time zone, such as ``2026-11-28 02:05:11 CST``.

    For CSV files, commands, and the answers of the upload commands. Without a time, the text is
    empty.
    """
    if at is None:
        return ""
    return f"{at.astimezone(ZoneInfo(time_zone)):%Y-%m-%d %H:%M:%S %Z}"


def format_time(at: datetime, now: datetime, time_zone: str) -> str:
    """Return a time in the district's time zone, such as ``02:05:11 CST``.

    If it isn't today, the date is added, as in ``format_timestamp``.
    """
    local = at.astimezone(ZoneInfo(time_zone))
    if now.astimezone(local.tzinfo).date() != local.date():
        return format_timestamp(at, time_zone)
    return local.strftime("%H:%M:%S %Z")


def format_duration(span: timedelta) -> str:
    """Return a duration in one or two units: ``2.1 s``, ``45 s``, ``3 min 20 s``, ``1 h 5 min``."""
    seconds = max(0.0, span.total_seconds())
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < MINUTE_S:
        return f"{whole} s"
    if whole < HOUR_S:
        return f"{whole // MINUTE_S} min {whole % MINUTE_S} s"
    return f"{whole // HOUR_S:,} h {whole % HOUR_S // MINUTE_S} min"


def format_percent(done: int, total: int) -> str:
    """Return a percentage such as ``61 %``; it's 100 only if nothing is left."""
    share = 100 if done >= total else min(99, round(100 * done / total))
    return f"{share} %"


def join_words(items: Sequence[object]) -> str:
    """Join items as in a sentence: ``17``, ``17 and 18``, ``17, 18 and 19``."""
    *others, last = map(str, items)
    return f"{', '.join(others)} and {last}" if others else last


def name_updates(numbers: Sequence[int]) -> str:
    """Name updates by their numbers: ``update 17``, ``updates 17 and 18``."""
    noun = "update" if len(numbers) == 1 else "updates"
    return f"{noun} {join_words(numbers)}"


def printable(text: str, max_length: int) -> str:
    """Return a submitted text on one line, without invisible characters, and truncated."""
    shown = "".join(char for char in text if char.isprintable())
    return shown if len(shown) <= max_length else shown[: max_length - 1] + "…"


def line_list(lines: Sequence[int]) -> str:
    """Return ascending line numbers with runs combined: ``3, 17-19, 40``."""
    runs: list[list[int]] = []
    for line in lines:
        if runs and line == runs[-1][1] + 1:
            runs[-1][1] = line
        else:
            runs.append([line, line])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)
