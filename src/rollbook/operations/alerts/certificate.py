"""When the certificate expires that this process serves; the web server sets it.

The file may have been renewed without the server having loaded it, so the file isn't checked.
"""

from datetime import datetime, timedelta

from rollbook.text import count_of

EXPIRY_WARNING = timedelta(days=21)

_served_until: datetime | None = None


def set_served_until(until: datetime) -> None:
    """Set when the certificate that clients get now expires."""
    global _served_until
    _served_until = until


def find_problem(now: datetime) -> str | None:
    """Return whether the certificate expires soon; None if this process serves none."""
    if _served_until is None:
        return None
    if _served_until <= now:
        return f"the certificate that clients get expired on {_served_until:%Y-%m-%d}"
    if _served_until - now <= EXPIRY_WARNING:
        days = count_of((_served_until - now).days, "day")
        return f"the certificate that clients get expires on {_served_until:%Y-%m-%d}, in {days}"
    return ""
