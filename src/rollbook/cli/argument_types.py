"""Parsers of argument values that argparse has no type for."""

from argparse import ArgumentTypeError

MAX_PORT = 65535
MAX_CONCURRENCY = 32
MAX_COUNT = 1_000_000


def port(text: str) -> int:
    """Parse a TCP port; 0 means any free one."""
    if text.isdecimal() and int(text) <= MAX_PORT:
        return int(text)
    raise ArgumentTypeError(f"'{text}' is not a port; use a number from 0 to {MAX_PORT}")


def concurrency(text: str) -> int:
    """Parse a number of updates to work on at the same time."""
    if text.isdecimal() and 1 <= int(text) <= MAX_CONCURRENCY:
        return int(text)
    raise ArgumentTypeError(f"'{text}' is not a number from 1 to {MAX_CONCURRENCY}")


def count(text: str) -> int:
    """Parse a number from 1 to a million."""
    if text.isdecimal() and 1 <= int(text) <= MAX_COUNT:
        return int(text)
    raise ArgumentTypeError(f"'{text}' is not a number from 1 to {MAX_COUNT:,}")


def count_or_zero(text: str) -> int:
    """Parse a number from 0 to a million."""
    if text.isdecimal() and int(text) <= MAX_COUNT:
        return int(text)
    raise ArgumentTypeError(f"'{text}' is not a number from 0 to {MAX_COUNT:,}")


def keep(text: str) -> int:
    """Parse a number of backups to keep."""
    if text.isdecimal() and int(text) >= 1:
        return int(text)
    raise ArgumentTypeError(f"'{text}' is not a number above 0")
