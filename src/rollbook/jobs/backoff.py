"""Exponential backoff after errors."""

MAX_BACKOFF_S = 30.0


def backoff_seconds(error_count: int) -> float:
    """Return the seconds to wait after the nth error in a row: 1, 2, 4 … 30."""
    return min(2.0 ** min(error_count - 1, 10), MAX_BACKOFF_S)
