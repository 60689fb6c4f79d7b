"""Store uploaded files in the spool folder.

Each file is written under a lock, synced and renamed before a row of the database refers to it. A
file that is locked by its writer is being received. A file without a lock and without a row that
refers to it was left by a process that died; ``receive.remove_orphaned_files`` removes it after a
day. Each name begins with the ID of the installation, so no other one removes its files. Workbooks
and files with another delimiter are converted first; then only the converted file is stored, in the
same way. All are encrypted while they are written, see ``rollbook.encrypted_file``; files of older
versions are read as they are.

On PostgreSQL the file is also copied to the database, in the transaction that creates the row, so
that workers on all machines have it; the spool folder then only holds copies. Why there is no
object store: docs/decisions/0011-many-workers.md.
"""

import contextlib
import fcntl
import hashlib
import math
import os
import time
import uuid
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

from django.conf import settings

from rollbook.accounts import district_keys, installation_id
from rollbook.accounts.district_keys import DistrictKeyLost, KeyPurpose
from rollbook.encrypted_file import (
    FRAME_BYTES,
    HEADER_BYTES,
    EncryptedFile,
    FileDamaged,
    FileHeader,
    FrameWriter,
    read_header,
)
from rollbook.secret_keys import new_key
from rollbook.updates.receiving import file_chunks

REMOVAL_WAIT_S = 5.0
"""How long a backup waits for those who are deleting files; they never take that long."""

LARGE_BYTES = 16 << 20
"""A file from this size on is stored while it is scanned; others take no longer."""

_INCOMPLETE = ".part"
"""The end of the name of a file until it is stored."""


class _LockedFile:
    """A new file with a temporary name, which is locked until it is closed."""

    def __init__(self, name: str) -> None:
        self.path = path_of(f"{name}{_INCOMPLETE}")
        self.file = os.fdopen(
            os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb"
        )
        fcntl.flock(self.file, fcntl.LOCK_EX)
        self.is_kept = False
        self._syncing = ThreadPoolExecutor(1)  # has no thread before it is used
        self._early_sync: Future[None] | None = None

    def begin_sync(self) -> None:
        """Begin to write what is in the file to the disk."""
        self._early_sync = self._syncing.submit(os.fsync, self.file.fileno())

    def wait_for_sync(self) -> None:
        """Wait for what was begun."""
        if self._early_sync:
            self._early_sync.result()

    def sync(self) -> None:
        """Write all to the disk.

        Raises:
            OSError: The disk is full or broken, now or when it was begun.
        """
        self.wait_for_sync()
        os.fsync(self.file.fileno())

    def rename(self, name: str) -> None:
        """Give the file its final name."""
        self.path = self.path.rename(path_of(name))

    def close(self) -> None:
        """Close and unlock the file, and delete it unless it is kept; may be called again."""
        if not self.is_kept:
            self.path.unlink(missing_ok=True)
        self._syncing.shutdown()  # waits, because the descriptor may then be that of another file
        # Closing writes the rest of the buffer, which fails on a full disk and isn't needed.
        with contextlib.suppress(OSError):
            self.file.close()


class IncomingFile:
    """A file that is being received, and is encrypted while it arrives.

    Its key is only in memory until the complete file is being stored: then the key of the district
    wraps it, which isn't known before. What a process leaves that died before can't be decrypted.

    Its creator must call ``discard`` in the end, which keeps the file only if its ownership was
    released before.

    Attributes:
        name: The name under which ``persist`` stores it; it ends with the file's ID.
        size: Bytes written so far.
        stored: The file to store: this one, or what it was converted to.
        shared: The name of a stored file with the same bytes, which is used instead; empty: none.
    """

    def __init__(self) -> None:
        self._file_id, self._key = uuid.uuid4(), new_key()
        self.name = installation_id.file_prefix() + self._file_id.hex
        self._locked = _LockedFile(self.name)
        self._locked.file.write(bytes(HEADER_BYTES))
        self._frames = FrameWriter(self._locked.file, self._key, self._file_id)
        self.size = 0
        self._hash = hashlib.sha256()
        self._is_wrapped = False
        self._converted: IncomingFile | None = None
        self.stored = self
        self.shared = ""

    @property
    def digest(self) -> str:
        """The SHA-256 of what was written so far, in hexadecimal."""
        return self._hash.hexdigest()

    @property
    def content(self) -> EncryptedFile:
        """What was written; to be read once the file is complete."""
        return EncryptedFile(self._locked.path, self._file_id, self._key)

    def write(self, data: bytes) -> None:
        """Append bytes.

        Raises:
            OSError: The disk is full.
        """
        self._frames.write(data)
        self._hash.update(data)
        self.size += len(data)

    def finish(self) -> None:
        """Complete the file, so that it can be read; nothing can be appended any longer.

        Raises:
            OSError: The disk is full.
        """
        self._frames.finish()

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
        self._converted.finish()
        self.stored = self._converted
        self._locked.path.unlink()

    @property
    def is_large(self) -> bool:
        """Whether the file is stored while it is scanned."""
        return self.size >= LARGE_BYTES and not self.shared

    @property
    def size_on_disk(self) -> int:
        """The bytes of the complete file, encrypted."""
        return os.fstat(self._locked.file.fileno()).st_size

    def begin_sync(self, district_id: int) -> None:
        """Begin what ``persist`` completes, if the complete file is large; raises the same."""
        if self.is_large:
            self._wrap_key(district_id)
            self._locked.begin_sync()

    def wait_for_sync(self) -> None:
        """Wait for what was begun; raise OSError if the disk is full or broken."""
        self._locked.wait_for_sync()

    def copy_to_database(self) -> None:
        """Copy the file, whose sync has begun, to PostgreSQL, in the caller's transaction."""
        file_chunks.write(self.name, self._locked.path)

    def persist(self, district_id: int) -> str:
        """Wrap the file's key, sync the file to the disk and rename it; return its final name.

        If another one is used instead, only return its name.

        Raises:
            DistrictKeyLost: The key of the district can't be decrypted.
            OSError: The disk is full.
        """
        if self.shared:
            return self.shared
        self.finish()
        self._wrap_key(district_id)
        self._locked.sync()
        self._locked.rename(self.name)
        _sync_folder(self._locked.path.parent)
        return self.name

    def _wrap_key(self, district_id: int) -> None:
        if not self._is_wrapped:
            wrapping = district_keys.get_or_create(district_id, KeyPurpose.FILES)
            header = FileHeader.wrap(self._file_id, self._key, wrapping.key_id, wrapping.secret)
            os.pwrite(self._locked.file.fileno(), header.to_bytes(), 0)
            self._is_wrapped = True

    def release_ownership(self) -> None:
        """Keep the stored file when it is discarded: a row of the database refers to it."""
        if self.stored is self:
            self._locked.is_kept = not self.shared
        else:
            self.stored.release_ownership()

    def discard(self) -> None:
        """Close and unlock the file, and delete it unless its ownership was released.

        This can be called more than once.
        """
        if self._converted:
            self._converted.discard()
        self._locked.close()


class FileMissing(Exception):
    """A stored file is missing or damaged, or its key is lost; the text says which and why."""


def path_of(name: str) -> Path:
    """Return the path of the stored file with this name."""
    return _folder() / name


def open_stored(name: str) -> Path | EncryptedFile:
    """Return what a stored file is read from; files of older versions aren't encrypted.

    Raises:
        FileMissing: The file is missing, damaged or another one, or its key is lost.
    """
    path = path_of(name)
    try:
        header = read_header(path)
        if header is None:
            return path
        if not name.endswith(header.file_id.hex):
            raise FileMissing(f"the file {name} was replaced by another one")
        wrapping = district_keys.get(header.wrapping_key_id)
        return EncryptedFile(path, header.file_id, header.unwrap(wrapping.secret))
    except FileNotFoundError:
        raise FileMissing(f"the file {name} is missing") from None
    except (FileDamaged, DistrictKeyLost) as error:
        raise FileMissing(f"the file {name} cannot be read: {error}") from None


def open_copied(name: str) -> Path | EncryptedFile:
    """Copy a file from the database if it isn't in the spool folder, and return what it is.

    Raises:
        FileMissing: The file is missing, damaged or another one, or its key is lost.
    """
    if settings.ON_POSTGRESQL and not path_of(name).exists():
        _fetch(name)
    return open_stored(name)


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
    _verify(name, digest)


def is_intact(name: str, digest: str) -> bool:
    """Return whether a stored file is in the spool folder and has this SHA-256."""
    try:
        _verify(name, digest)
    except FileMissing:
        return False
    return True


def _verify(name: str, digest: str) -> None:
    """Read a whole file, and raise FileMissing unless it is what was stored.

    Each frame of an encrypted file is authenticated, and its name by its header. Others must have
    this SHA-256.
    """
    try:
        stored = open_stored(name)
        with stored.open("rb") as file:
            if isinstance(stored, EncryptedFile):
                while file.read(FRAME_BYTES):
                    pass
                return
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        raise FileMissing(f"the file {name} is missing") from None
    except FileDamaged as error:
        raise FileMissing(f"the file {name} is damaged: {error}") from None
    if found != digest:
        raise FileMissing(f"the file {name} is damaged: its content has changed")


def _fetch(name: str) -> None:
    """Copy the file from the database, without a sync: it can be copied again."""
    copy = _LockedFile(f"{installation_id.file_prefix()}{uuid.uuid4().hex}")
    try:
        for chunk in file_chunks.read(name):
            copy.file.write(chunk)
        copy.file.flush()
        copy.rename(name)
        copy.is_kept = True
    finally:
        copy.close()


def unlocked_files(min_age: timedelta) -> set[str]:
    """Return the names of this installation's files that no process is writing.

    Args:
        min_age: How long ago they were written, at least.
    """
    prefix, written_before = installation_id.file_prefix(), time.time() - min_age.total_seconds()
    return {
        path.name for path in _folder().glob(f"{prefix}*") if _is_unlocked(path, written_before)
    }


def is_receiving() -> bool:
    """Return whether a file is being received on this machine."""
    incomplete = _folder().glob(f"{installation_id.file_prefix()}*{_INCOMPLETE}")
    return not all(_is_unlocked(path, math.inf) for path in incomplete)


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
