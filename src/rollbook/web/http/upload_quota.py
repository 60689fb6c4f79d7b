"""Whether there is room for one more upload, judged by the size it announces, before a byte of it is read."""

import shutil
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from rollbook.web.http.error_codes import ApiError

PER_ADDRESS = (
    2  # times the largest body: bytes and not calls are counted, as twenty small files harm nobody
)
FOR_ALL = 4
KEPT_FREE = 256 << 20  # bytes of disk for the database to go on with,
KEPT_FREE_SHARE = 0.05  # or this part of a small disk


class UploadQuota:
    """The bytes that are announced and on their way into this process, by address."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: Counter[str] = Counter()

    @contextmanager
    def reserve(self, address: str, size: int, largest: int) -> Iterator[None]:
        """Hold room for a body of ``size`` bytes while it comes in; Refused if there is none."""
        with self._lock:
            self._require(address, size, largest)
            self._taken[address] += size
        try:
            yield
        finally:
            with self._lock:
                self._taken[address] -= size
                self._taken = +self._taken  # addresses that hold nothing are forgotten

    def _require(self, address: str, size: int, largest: int) -> None:
        everybody = self._taken.total() + size
        if self._taken[address] + size > PER_ADDRESS * largest:
            raise ApiError("too_many_uploads")
        if everybody > FOR_ALL * largest:
            raise ApiError("server_busy")
        if everybody > _free():
            raise ApiError("disk_full")


def _free() -> int:
    """Bytes that uploads may take of the spool's disk."""
    spool: Path = settings.SPOOL
    disk = shutil.disk_usage(next(folder for folder in (spool, *spool.parents) if folder.exists()))
    return disk.free - min(KEPT_FREE, int(disk.total * KEPT_FREE_SHARE))


UPLOAD_QUOTA = UploadQuota()
