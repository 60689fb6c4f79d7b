"""Limit the uploads in progress, before any byte of them is read."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest

from rollbook.accounts.auth import known_addresses
from rollbook.client_network import client_network
from rollbook.web.http.client import address_of
from rollbook.web.http.error_codes import ApiError
from rollbook.web.http.upload_shares import Caller, ShareExceeded, Shares, Trust
from rollbook.web.http.upload_slots import admit

# The sizes of all uploads in progress, as a multiple of the largest request. The limit is on bytes,
# not on requests, because twenty small files do no harm.
MAX_BODIES = 4
# Disk space that is reserved for the database: so many bytes, or this share of a small disk.
RESERVED_DISK_BYTES = 256 << 20
RESERVED_DISK_SHARE = 0.05


class UploadQuota:
    """The bytes of the uploads that this process is receiving."""

    def __init__(self) -> None:
        self.shares = Shares()

    @contextmanager
    def reserve(self, caller: Caller, size: int, largest: int) -> Iterator[None]:
        """Reserve quota and a slot for a request while it is received.

        Args:
            caller: Who sends it.
            size: The Content-Length in bytes.
            largest: The size of the largest request in bytes.

        Raises:
            ApiError: If a limit is exceeded.
        """
        try:
            self.shares.take(caller, size, MAX_BODIES * largest)
        except ShareExceeded as exceeded:
            raise ApiError(exceeded.code) from None
        try:
            self._require_disk(caller)
            admit.get()(caller)
            yield
        except ShareExceeded as exceeded:
            raise ApiError(exceeded.code) from None
        finally:
            self.shares.give_back(caller, size)

    def _require_disk(self, caller: Caller) -> None:
        free = _free()
        if self.shares.total > free:
            raise ApiError("disk_full")
        if caller.trust is Trust.STRANGER and self.shares.of_strangers() > free // 2:
            raise ApiError("disk_full")


def caller_of(request: HttpRequest, *, is_proven: bool) -> Caller:
    """Return who sends a request.

    Args:
        request: The request.
        is_proven: Whether its header proves who sends it.
    """
    address = address_of(request)
    trust = Trust.STRANGER
    if is_proven:
        trust = Trust.PROVEN
    if known_addresses.is_known(address):
        trust = Trust.KNOWN
    return Caller(client_network(address), trust)


def _free() -> int:
    """Return the bytes of the spool's disk that uploads may use."""
    spool: Path = settings.SPOOL
    disk = shutil.disk_usage(next(folder for folder in (spool, *spool.parents) if folder.exists()))
    return disk.free - min(RESERVED_DISK_BYTES, int(disk.total * RESERVED_DISK_SHARE))


UPLOAD_QUOTA = UploadQuota()
