"""On PostgreSQL, copy a large file to the database while it is scanned.

The copy begins the transaction that later creates the update, so neither is committed without the
other, and nothing has to be removed after a crash. Meanwhile a thread scans the file; what it needs
to know, it reads on a connection of its own. Why: docs/decisions/0064-copy-while-scanning.md.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from threading import Lock

from django.conf import settings
from django.db import OperationalError, connection, transaction

from rollbook.studentfile.reading.reader import FileScan
from rollbook.updates.receiving.files import IncomingFile

MAX_IDLE_S = 5.0
"""How long the transaction is idle at most; ``connections.SESSION_LIMITS`` allow more."""

_second_connection = Lock()
"""Held for one upload at a time: a web server has a small pool, and nobody may wait for two."""


class EarlyCopy(ExitStack):
    """A block whose end commits the copy of a file, or rolls it back after an exception."""

    def scan(self, incoming: IncomingFile, scan: Callable[[], FileScan]) -> FileScan:
        """Scan a file; if it is large and on PostgreSQL, begin a transaction with its copy.

        In a transaction of the caller, whose rows another connection doesn't see, and without
        another connection, the file is only scanned.

        Args:
            incoming: The file, whose sync has begun.
            scan: Scans it.
        """
        is_useful = settings.ON_POSTGRESQL and incoming.is_large
        if not is_useful or connection.in_atomic_block:
            return scan()
        if not _second_connection.acquire(blocking=False):
            return scan()
        try:
            with ThreadPoolExecutor(1, "scan") as thread:
                if not thread.submit(_is_connected).result():
                    return scan()
                scanning = thread.submit(_scan_and_sync, scan, incoming)
                self.enter_context(transaction.atomic())
                incoming.copy_to_database()
                return _result_of(scanning)
        finally:
            _second_connection.release()


def _is_connected() -> bool:
    """Return whether this thread has a connection to the database."""
    try:
        connection.ensure_connection()
    except OperationalError:
        return False
    return True


def _scan_and_sync(scan: Callable[[], FileScan], incoming: IncomingFile) -> FileScan:
    try:
        result = scan()
    finally:
        connection.close()
    incoming.wait_for_sync()  # here, because a slow disk takes longer than MAX_IDLE_S
    return result


def _result_of(scanning: "Future[FileScan]") -> FileScan:
    """Wait for the scan and the disk; the transaction isn't idle so long that it is ended."""
    while wait([scanning], MAX_IDLE_S).not_done:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    return scanning.result()
