"""The folder where uploaded files stand: each is written under a lock, synced, renamed, and only then spoken of.

A file under its writer's lock is on its way. One without a lock that no update names is a left-over of a process that
died, and ``receive.sweep`` removes it; it can do so at any moment.

On PostgreSQL the file goes into the database too, together with the update that names it, so that any worker anywhere
can have it; there the folder holds copies. Why not an object store: docs/decisions/0011-many-workers.md.
"""

import contextlib
import fcntl
import hashlib
import os
import uuid
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings

from rollbook.updates.receiving import file_chunks


class IncomingFile:
    """A file on its way in. Whoever makes one ends with ``discard``, which spares only what was handed over."""

    def __init__(self) -> None:
        spool = _folder()
        self.name = uuid.uuid4().hex
        self.path = spool / f"{self.name}.part"
        self.size = 0
        self._hash = hashlib.sha256()
        self._file = os.fdopen(
            os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb"
        )
        fcntl.flock(self._file, fcntl.LOCK_EX)
        self._handed_over = False

    @property
    def digest(self) -> str:
        """SHA-256 of what was written so far, hexadecimal."""
        return self._hash.hexdigest()

    def write(self, data: bytes) -> None:
        """Add bytes. Raises OSError when the disk takes no more."""
        self._file.write(data)
        self._hash.update(data)
        self.size += len(data)

    def flush(self) -> None:
        """Let others read at ``path`` what was written."""
        self._file.flush()

    def persist(self) -> str:
        """Bring the file to the disk for good, under the name that is returned."""
        self.flush()
        os.fsync(self._file.fileno())
        final = self.path.with_name(self.name)
        self.path = self.path.rename(final)
        _sync_folder(final.parent)
        return self.name

    def release_ownership(self) -> None:
        """From now on an update names the file, and ``discard`` leaves it alone."""
        self._handed_over = True

    def discard(self) -> None:
        """Let go of the file, and take it away unless it was handed over. May be called again."""
        if not self._handed_over:
            self.path.unlink(missing_ok=True)
        # Closing writes what is left in the buffer, for which there may be no room; it is not wanted any more.
        with contextlib.suppress(OSError):
            self._file.close()


class FileMissing(Exception):
    """The kept file is gone, or it has not the bytes any more that came in."""


def path_of(name: str) -> Path:
    """Where the kept file with this name stands."""
    return _folder() / name


def copy_to_database(name: str) -> None:
    """Put a kept file where every worker finds it, in the caller's transaction, unless it is there already."""
    if settings.ON_POSTGRESQL and not file_chunks.exist(name):
        file_chunks.write(name, path_of(name))


def ensure_available(name: str, digest: str) -> None:
    """See that the kept file is in the folder as it came in. Raises LostFile if it cannot be had."""
    if _is_intact(name, digest):
        return
    if settings.ON_POSTGRESQL:
        _fetch(name)
    if not _is_intact(name, digest):
        raise FileMissing


def _is_intact(name: str, digest: str) -> bool:
    try:
        with path_of(name).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == digest
    except FileNotFoundError:
        return False


def _fetch(name: str) -> None:
    """Bring the file from the database; it needs no sync, for it can be brought again."""
    incoming = IncomingFile()
    try:
        for piece in file_chunks.read(name):
            incoming.write(piece)
        incoming.flush()
        incoming.path = incoming.path.rename(path_of(name))
        incoming.release_ownership()
    finally:
        incoming.discard()


def unlocked_files() -> set[str]:
    """The names of the files that nobody is writing any more."""
    return {path.name for path in _folder().iterdir() if _is_unlocked(path)}


def remove(names: Iterable[str]) -> None:
    """Take these files away."""
    for name in names:
        path_of(name).unlink(missing_ok=True)


def _folder() -> Path:
    folder: Path = settings.SPOOL
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _is_unlocked(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return True
    except (BlockingIOError, FileNotFoundError):
        return False


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
