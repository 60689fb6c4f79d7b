"""Settings of Python's cyclic garbage collector for processes that handle many rows."""

import gc

_ALLOCATIONS = 20_000
"""New containers until the youngest ones are examined; Python's default is 700."""


def tune_for_many_rows() -> None:
    """Examine new objects less often, and those of the modules loaded so far never again.

    A batch of rows consists of a hundred thousand containers that are alive until it is committed.
    None of them are in cycles, and by default a tenth of the time is spent looking for cycles.
    """
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS)
