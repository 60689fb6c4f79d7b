"""Numbers, times and lists as people read them, in answers, mails, pages and commands alike."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

MINUTE = 60
HOUR = 60 * MINUTE


def format_number(number: int) -> str:
    """``4,812``."""
    return f"{number:,}"


def count_of(count: int, noun: str) -> str:
    """``4,812 students``; ``1 student``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def format_time(at: datetime, now: datetime, time_zone: str) -> str:
    """The district's time: ``02:05:11 CST``, with the date before it unless that is today's."""
    there = at.astimezone(ZoneInfo(time_zone))
    today = now.astimezone(there.tzinfo).date() == there.date()
    return there.strftime("%H:%M:%S %Z") if today else format_datetime(at, time_zone)


def format_datetime(at: datetime | None, time_zone: str) -> str:
    """The district's time with its date: ``2026-11-23 02:05:11 CST``; nothing if it has not come."""
    return at.astimezone(ZoneInfo(time_zone)).strftime("%Y-%m-%d %H:%M:%S %Z") if at else ""


def duration(span: timedelta) -> str:
    """``2.1 s``, ``45 s``, ``3 min 20 s``, ``1 h 5 min``; two units are enough."""
    seconds = max(0.0, span.total_seconds())
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // MINUTE} min {whole % MINUTE} s"
    return f"{whole // HOUR:,} h {whole % HOUR // MINUTE} min"


def percent(done: int, total: int) -> str:
    """``61 %``; 100 only when nothing is left."""
    share = 100 if done >= total else min(99, round(100 * done / total))
    return f"{share} %"


def join_words(items: Sequence[object]) -> str:
    """``17``; ``17 and 18``; ``17, 18 and 19``."""
    *most, last = (str(item) for item in items)
    return f"{', '.join(most)} and {last}" if most else last


def updates(numbers: Sequence[int]) -> str:
    """``update 17``; ``updates 17 and 18``."""
    return f"{'update' if len(numbers) == 1 else 'updates'} {join_words(numbers)}"


def printable(text: str, longest: int) -> str:
    """What somebody sent, fit to be shown: one line, nothing invisible, at most so many characters."""
    shown = "".join(char for char in text if char.isprintable())
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


def line_list(lines: Sequence[int]) -> str:
    """Ascending lines with runs drawn together: 3, 17-19, 40."""
    runs: list[list[int]] = []
    for line in lines:
        if runs and line == runs[-1][1] + 1:
            runs[-1][1] = line
        else:
            runs.append([line, line])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)
