"""Measures whether Python's cookie parser can be made to take long (CVE-2024-7592).

Python's version doesn't tell: distributions correct old versions.
"""

import time
from http.cookies import SimpleCookie

MAX_PROBE_BYTES = 8192
FIRST_PROBE_BYTES = 256
MAX_SECONDS = 0.02  # of CPU; a correct parser takes about one millisecond

PROBLEM = (
    "Python's cookie parser takes {milliseconds:.0f} ms for {size:,} bytes, so requests with long "
    "cookies could keep the server busy"
)
FIX = "upgrade Python to 3.11.10, 3.12.6 or later; until then Rollbook refuses such cookies"


def find_problem() -> str:
    """Return what is wrong with the parser; an empty string if it is fast.

    Each probe is twice as long as the one before, and a slow one is the last, so this takes little
    time with any parser.
    """
    size = FIRST_PROBE_BYTES
    while size <= MAX_PROBE_BYTES:
        seconds = _seconds(size)
        if seconds > MAX_SECONDS:
            return PROBLEM.format(milliseconds=seconds * 1000, size=size)
        size *= 2
    return ""


def _seconds(size: int) -> float:
    """Return the CPU time for a quoted cookie of this many bytes, all of them backslashes."""
    cookie = 'a="' + "\\" * (size - 4) + '"'
    started_at = time.thread_time()
    SimpleCookie().load(cookie)
    return time.thread_time() - started_at
