"""Settings of memory management for processes that handle many rows."""

import ctypes
import gc
from contextlib import suppress

_ALLOCATIONS = 20_000
"""New containers until the youngest ones are examined; Python's default is 700."""

_MMAP_THRESHOLD = -3  # M_MMAP_THRESHOLD of glibc's mallopt
_LARGE_BLOCK_BYTES = 1 << 18


def tune_for_many_rows() -> None:
    """Examine new objects less often, and those of the modules loaded so far never again.

    Large blocks of memory are returned to the system as soon as they are freed.

    A batch of rows consists of a hundred thousand containers that are alive until it is committed.
    None of them are in cycles, and by default a tenth of the time is spent looking for cycles.
    """
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS)
    _return_large_blocks()


def _return_large_blocks() -> None:
    """Fix the size from which glibc maps a block of memory separately, and unmaps it when freed.

    By default it grows with the largest block that was freed. So after one argon2id hash, which
    needs 19 MiB, up to twice as much would be kept for good. Other C libraries lack the setting.
    """
    with suppress(AttributeError):
        ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, _LARGE_BLOCK_BYTES)
