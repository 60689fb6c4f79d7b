"""Limit the uploads in progress by their Content-Length, before any byte is read."""

import shutil
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from rollbook.web.http.error_codes import ApiError

# The maximum sizes of uploads in progress, as multiples of the largest request. The limits are on
# bytes, not on requests, because twenty small files do no harm.
MAX_BODIES_PER_ADDRESS = 2
MAX_BODIES = 4
# Disk space that is reserved for the database: so many bytes, or this share of a small disk.
RESERVED_DISK_BYTES = 256 << 20
RESERVED_DISK_SHARE = 0.05


class UploadQuota:
    """The bytes of the uploads that this process is receiving, by client address."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: Counter[str] = Counter()

    @contextmanager
    def reserve(self, address: str, size: int, largest: int) -> Iterator[None]:
        """Reserve quota for a request while it is received.

        Args:
            address: The client's address or network.
            size: The Content-Length in bytes.
            largest: The size of the largest request in bytes.

        Raises:
            ApiError: If a limit is exceeded.
        """
        with self._lock:
            self._require(address, size, largest)
            self._taken[address] += size
        try:
            yield
        finally:
            with self._lock:
                self._taken[address] -= size
                self._taken = +self._taken  # remove addresses without uploads

    def _require(self, address: str, size: int, largest: int) -> None:
        total = self._taken.total() + size
        if self._taken[address] + size > MAX_BODIES_PER_ADDRESS * largest:
            raise ApiError("too_many_uploads")
        if total > MAX_BODIES * largest:
            raise ApiError("server_busy")
        if total > _free():
            raise ApiError("disk_full")


def _free() -> int:
    """Return the bytes of the spool's disk that uploads may use."""
    spool: Path = settings.SPOOL
    disk = shutil.disk_usage(next(folder for folder in (spool, *spool.parents) if folder.exists()))
    return disk.free - min(RESERVED_DISK_BYTES, int(disk.total * RESERVED_DISK_SHARE))


UPLOAD_QUOTA = UploadQuota()
