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
    return _number(text, 1, MAX_CONCURRENCY)


def count(text: str) -> int:
    """Parse a number from 1 to a million."""
    return _number(text, 1, MAX_COUNT)


def count_or_zero(text: str) -> int:
    """Parse a number from 0 to a million."""
    return _number(text, 0, MAX_COUNT)


def keep(text: str) -> int:
    """Parse a number of backups to keep."""
    if text.isdecimal() and int(text) >= 1:
        return int(text)
    raise ArgumentTypeError(f"'{text}' is not a number above 0")


def _number(text: str, least: int, most: int) -> int:
    if text.isdecimal() and least <= int(text) <= most:
        return int(text)
    raise ArgumentTypeError(f"'{text}' is not a number from {least} to {most:,}")
