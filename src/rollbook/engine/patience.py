"""How long to wait after a fault: a little at first, then longer."""

LONGEST_PAUSE = 30.0  # seconds


def pause_after(faults: int) -> float:
    """Seconds to wait after the n-th fault in a row: 1, 2, 4 … 30."""
    return min(2.0 ** min(faults - 1, 10), LONGEST_PAUSE)
