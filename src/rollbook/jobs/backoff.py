"""How long to wait after a fault: a little at first, then longer."""

MAX_BACKOFF_S = 30.0  # seconds


def backoff_seconds(faults: int) -> float:
    """Seconds to wait after the n-th fault in a row: 1, 2, 4 … 30."""
    return min(2.0 ** min(faults - 1, 10), MAX_BACKOFF_S)
