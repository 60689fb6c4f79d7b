"""Checks the disk of the data folder: free space, file locks, and the kind of file system."""

import fcntl
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from rollbook.doctor.installation import Installation
from rollbook.doctor.result import CheckResult, error, ok, warning

FREE_SPACE_FACTOR = 4  # times the largest upload: for simultaneous ones, and for the database
MIN_FREE_FILES = 1000
MOUNTS = Path("/proc/self/mountinfo")
_NETWORK = re.compile(
    r"nfs\d?|cifs|smb\w*|ncpfs|9p|afs|ceph|lustre|glusterfs|fuse\.(?:sshfs|s3fs|rclone|.*ceph|.*gluster)"
)
_NOT_PERSISTENT = re.compile("tmpfs|ramfs|overlay")


def check(installation: Installation) -> Iterator[CheckResult]:
    """Check the file systems of the data folder and its spool."""
    problems: list[CheckResult] = []
    max_upload_bytes = installation.settings.MAX_UPLOAD_BYTES if installation.settings else 0
    for folder in _disks(installation.data):
        problems += _free_space(folder, max_upload_bytes)
    for folder in _folders(installation.data):
        problems += _writing(folder)
    problems += _kind(installation)
    yield from problems
    if not problems:
        free = size(_free(os.statvfs(installation.data)))
        kind = kind_of(installation.data) or "unknown file system"
        yield ok(f"{free} free; files can be written and locked ({kind})")


def size(count: int) -> str:
    """Return a number of bytes in words, such as ``4.0 GB`` or ``12.5 MB``."""
    return f"{count / 1e9:,.1f} GB" if count >= 1e9 else f"{count / 1e6:,.1f} MB"


def kind_of(folder: Path) -> str:
    """Return the kind of file system of a folder, such as ext4; empty if it is unknown."""
    try:
        mounts = MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    kinds = {
        _unescaped(mount.split(" ")[4]): mount.rpartition(" - ")[2].split(" ")[0]
        for mount in mounts
    }
    for parent in (folder.resolve(), *folder.resolve().parents):
        if str(parent) in kinds:
            return kinds[str(parent)]
    return ""


def _unescaped(path: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), path)


def _folders(data: Path) -> list[Path]:
    """Return the folders that are written to."""
    spool = data / "spool"
    return [data, spool] if spool.exists() else [data]


def _disks(data: Path) -> list[Path]:
    """Return one folder on each file system."""
    folders = {folder.stat().st_dev: folder for folder in reversed(_folders(data))}
    return list(folders.values())


def _free(disk: os.statvfs_result) -> int:
    return disk.f_bavail * disk.f_frsize


def _free_space(folder: Path, max_upload_bytes: int) -> Iterator[CheckResult]:
    disk = os.statvfs(folder)
    free = _free(disk)
    what = f"the disk of {folder} has {size(free)} left; uploads may have {size(max_upload_bytes)}"
    fix = "free up space there, or lower ROLLBOOK_MAX_UPLOAD_BYTES"
    if free < max_upload_bytes:
        yield error(what, fix)
    elif free < FREE_SPACE_FACTOR * max_upload_bytes:
        yield warning(f"{what}, and the database needs space too", fix)
    if disk.f_files and disk.f_favail < MIN_FREE_FILES:
        yield error(
            f"the disk of {folder} has room for only {disk.f_favail:,} more files",
            "remove files there: `df -i` counts them",
        )


def _writing(folder: Path) -> Iterator[CheckResult]:
    """Write and lock a temporary file without a name."""
    if os.statvfs(folder).f_flag & os.ST_RDONLY:
        yield error(
            f"the file system of {folder} is read-only",
            "see the system's log (`dmesg`) for the cause, and mount it for writing",
        )
        return
    try:
        with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
            file.write(bytes(4096))
            os.fsync(file.fileno())
            yield from _locking(folder, file.fileno())
    except OSError as fault:
        yield error(
            f"nothing can be written to {folder} ({fault.strerror})",
            "check who owns it, and that its disk has space",
        )


def _locking(folder: Path, file: int) -> Iterator[CheckResult]:
    """Check that a lock on a file excludes a second one."""
    other = os.open(f"/proc/self/fd/{file}", os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    except OSError as fault:
        yield error(
            f"cannot lock files in {folder} ({fault.strerror})",
            "move the data folder to a local disk",
        )
    else:
        yield error(
            f"locks on files in {folder} have no effect", "move the data folder to a local disk"
        )
    finally:
        os.close(other)


def _kind(installation: Installation) -> Iterator[CheckResult]:
    kind = kind_of(installation.data)
    if _NOT_PERSISTENT.fullmatch(kind):
        yield warning(
            f"{installation.data} is on {kind}, "
            "which is lost with this machine's memory or container",
            "move the data folder to a persistent disk or volume",
        )
    on_sqlite = installation.settings is not None and not installation.settings.ON_POSTGRESQL
    if _NETWORK.fullmatch(kind) and on_sqlite:
        yield error(
            f"{installation.data} is on a network file system ({kind}), "
            "where SQLite's locks and shared memory do not work",
            "move the data folder to a local disk, or use PostgreSQL: DATABASE_URL",
        )
