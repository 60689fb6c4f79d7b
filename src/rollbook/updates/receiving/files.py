"""Store uploaded files in the spool folder.

Each file is written under a lock, synced and renamed before a row of the database refers to it. A
file that is locked by its writer is being received. A file without a lock and without a row that
refers to it was left by a process that died; ``receive.remove_orphaned_files`` removes it after a
day. Each name begins with the ID of the installation, so no other one removes its files. Workbooks
and files with another delimiter are converted first; then only the converted file is stored, in the
same way.

On PostgreSQL the file is also copied to the database, in the transaction that creates the row, so
that workers on all machines have it; the spool folder then only holds copies. Why there is no
object store: docs/decisions/0011-many-workers.md.
"""

import contextlib
import fcntl
import hashlib
import os
import time
import uuid
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path

from django.conf import settings

from rollbook.accounts import installation_id
from rollbook.updates.receiving import file_chunks

REMOVAL_WAIT_S = 5.0
"""How long a backup waits for those who are deleting files; they never take that long."""


class IncomingFile:
    """A file that is being received.

    Its creator must call ``discard`` in the end, which keeps the file only if its ownership was
    released before.

    Attributes:
        name: The name under which ``persist`` stores it.
        path: Where it is now.
        size: Bytes written so far.
        stored: The file to store: this one, or what it was converted to.
    """

    def __init__(self) -> None:
        spool = _folder()
        self.name = installation_id.file_prefix() + uuid.uuid4().hex
        self.path = spool / f"{self.name}.part"
        self.size = 0
        self._hash = hashlib.sha256()
        self._file = os.fdopen(
            os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb"
        )
        fcntl.flock(self._file, fcntl.LOCK_EX)
        self._is_released = False
        self._converted: IncomingFile | None = None
        self.stored = self

    @property
    def digest(self) -> str:
        """The SHA-256 of what was written so far, in hexadecimal."""
        return self._hash.hexdigest()

    def write(self, data: bytes) -> None:
        """Append bytes.

        Raises:
            OSError: The disk is full.
        """
        self._file.write(data)
        self._hash.update(data)
        self.size += len(data)

    def flush(self) -> None:
        """Write the buffer, so that all of the file can be read at ``path``."""
        self._file.flush()

    def write_converted(self, data: bytes) -> None:
        """Append bytes to the file that this one is converted to.

        Raises:
            OSError: The disk is full.
        """
        if self._converted is None:
            self._converted = IncomingFile()
        self._converted.write(data)

    def replace_by_converted(self) -> None:
        """Store the converted file instead, and delete this one.

        Its size and digest remain those of what was sent.
        """
        self._converted = self._converted or IncomingFile()
        self._converted.flush()
        self.stored = self._converted
        self.path.unlink()

    def persist(self) -> str:
        """Sync the file to the disk and rename it; return its final name."""
        self.flush()
        os.fsync(self._file.fileno())
        final = self.path.with_name(self.name)
        self.path = self.path.rename(final)
        _sync_folder(final.parent)
        return self.name

    def release_ownership(self) -> None:
        """Keep the stored file when it is discarded: a row of the database refers to it."""
        if self.stored is self:
            self._is_released = True
        else:
            self.stored.release_ownership()

    def discard(self) -> None:
        """Close and unlock the file, and delete it unless its ownership was released.

        This can be called more than once.
        """
        if self._converted:
            self._converted.discard()
        if not self._is_released:
            self.path.unlink(missing_ok=True)
        # Closing writes the rest of the buffer, which fails on a full disk and isn't needed.
        with contextlib.suppress(OSError):
            self._file.close()


class FileMissing(Exception):
    """A stored file is missing or damaged."""


def path_of(name: str) -> Path:
    """Return the path of the stored file with this name."""
    return _folder() / name


def copy_to_database(name: str) -> None:
    """Copy a stored file to the database on PostgreSQL, unless it is there already.

    This happens in the caller's transaction.
    """
    if settings.ON_POSTGRESQL and not file_chunks.exist(name):
        file_chunks.write(name, path_of(name))


def ensure_available(name: str, digest: str) -> None:
    """Ensure that a stored file is in the spool folder; copy it from the database if necessary.

    Args:
        name: The name of the file in the spool folder.
        digest: The SHA-256 of its content, in hexadecimal.

    Raises:
        FileMissing: The file is missing or damaged, and the database doesn't have it.
    """
    if is_intact(name, digest):
        return
    if settings.ON_POSTGRESQL:
        _fetch(name)
    if not is_intact(name, digest):
        raise FileMissing


def is_intact(name: str, digest: str) -> bool:
    """Return whether a stored file is in the spool folder and has this SHA-256."""
    try:
        with path_of(name).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == digest
    except FileNotFoundError:
        return False


def _fetch(name: str) -> None:
    """Copy the file from the database, without a sync: it can be copied again."""
    incoming = IncomingFile()
    try:
        for chunk in file_chunks.read(name):
            incoming.write(chunk)
        incoming.flush()
        incoming.path = incoming.path.rename(path_of(name))
        incoming.release_ownership()
    finally:
        incoming.discard()


def unlocked_files(min_age: timedelta) -> set[str]:
    """Return the names of this installation's files that no process is writing.

    Args:
        min_age: How long ago they were written, at least.
    """
    prefix, written_before = installation_id.file_prefix(), time.time() - min_age.total_seconds()
    return {
        path.name for path in _folder().glob(f"{prefix}*") if _is_unlocked(path, written_before)
    }


def remove(names: Iterable[str]) -> None:
    """Delete these files from the spool folder.

    While a backup copies files, nothing is deleted; the sweep will find the files.
    """
    with _lock_removals(fcntl.LOCK_SH) as is_locked:
        if is_locked:
            for name in names:
                path_of(name).unlink(missing_ok=True)


@contextlib.contextmanager
def hold_removals() -> Iterator[bool]:
    """Let no process delete a stored file, for a backup that copies those that are referred to.

    Yields:
        Whether that is so; False if another backup is doing the same.
    """
    with _lock_removals(fcntl.LOCK_EX) as is_locked:
        yield is_locked


@contextlib.contextmanager
def _lock_removals(mode: int) -> Iterator[bool]:
    """Lock the file by which removals and backups exclude each other; yield whether it worked."""
    descriptor = os.open(
        _folder().with_name("backup.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
    )
    try:
        yield _try_lock(descriptor, mode)
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int, mode: int) -> bool:
    """Return whether the lock was acquired; a backup waits a moment for those who delete files."""
    deadline = time.monotonic() + (REMOVAL_WAIT_S if mode == fcntl.LOCK_EX else 0.0)
    while True:
        try:
            fcntl.flock(descriptor, mode | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        else:
            return True


def _folder() -> Path:
    folder: Path = settings.SPOOL
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _is_unlocked(path: Path, written_before: float) -> bool:
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return os.fstat(file.fileno()).st_mtime <= written_before
    except (BlockingIOError, FileNotFoundError):
        return False


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
