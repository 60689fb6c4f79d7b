"""The disk under the data folder: room for uploads, a lock that holds, and a file system that SQLite can trust."""

import fcntl
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from rollbook.doctor.installation import Installation
from rollbook.doctor.result import CheckResult, error, ok, warning

FREE_SPACE_FACTOR = (
    4  # times the largest upload: some that come at once, and what the database makes of them
)
MIN_FREE_FILES = 1000
MOUNTS = Path("/proc/self/mountinfo")
_NETWORK = re.compile(
    r"nfs\d?|cifs|smb\w*|ncpfs|9p|afs|ceph|lustre|glusterfs|fuse\.(?:sshfs|s3fs|rclone|.*ceph|.*gluster)"
)
_PASSING = re.compile("tmpfs|ramfs|overlay")


def check(here: Installation) -> Iterator[CheckResult]:
    """Each file system that the data folder and its spool stand on."""
    problems: list[CheckResult] = []
    for folder in _folders(here.data):
        problems += [
            *_room(folder, here.settings.MAX_UPLOAD_BYTES if here.settings else 0),
            *_writing(folder),
        ]
    problems += _kind(here)
    yield from problems
    if not problems:
        free = size(_free(os.statvfs(here.data)))
        yield ok(
            f"{free} are free, and files can be written and locked ({kind_of(here.data) or 'unknown file system'})"
        )


def size(count: int) -> str:
    """``4.0 GB``, ``12.5 MB``."""
    return f"{count / 1e9:,.1f} GB" if count >= 1e9 else f"{count / 1e6:,.1f} MB"


def kind_of(folder: Path) -> str:
    """The kind of file system under this folder, such as ext4; nothing where the system does not tell."""
    try:
        mounts = MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    found = {
        _unescaped(mount.split(" ")[4]): mount.rpartition(" - ")[2].split(" ")[0]
        for mount in mounts
    }
    above = (str(each) for each in (folder.resolve(), *folder.resolve().parents))
    return next((found[each] for each in above if each in found), "")


def _unescaped(path: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), path)


def _folders(data: Path) -> list[Path]:
    """One on each of the file systems."""
    spool = data / "spool"
    return [data, spool] if spool.is_dir() and spool.stat().st_dev != data.stat().st_dev else [data]


def _free(disk: os.statvfs_result) -> int:
    return disk.f_bavail * disk.f_frsize


def _room(folder: Path, largest: int) -> Iterator[CheckResult]:
    disk = os.statvfs(folder)
    free = _free(disk)
    what = f"the disk of {folder} has {size(free)} left, and an upload may have {size(largest)}"
    repair = "make room there, or lower ROLLBOOK_MAX_UPLOAD_BYTES"
    if free < largest:
        yield error(what, repair)
    elif free < FREE_SPACE_FACTOR * largest:
        yield warning(f"{what}, besides what the database needs", repair)
    if disk.f_files and disk.f_favail < MIN_FREE_FILES:
        yield error(
            f"the disk of {folder} takes only {disk.f_favail:,} more files",
            "remove files there: `df -i` counts them",
        )


def _writing(folder: Path) -> Iterator[CheckResult]:
    """With a file that has no name and is gone when it is closed."""
    if os.statvfs(folder).f_flag & os.ST_RDONLY:
        yield error(
            f"the file system of {folder} is read-only",
            "see the system's log (`dmesg`) for why, and mount it for writing",
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
            "see whose it is, and that its disk has room",
        )


def _locking(folder: Path, file: int) -> Iterator[CheckResult]:
    """Two openings of one file must not both have it."""
    other = os.open(f"/proc/self/fd/{file}", os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    except OSError as fault:
        yield error(
            f"files in {folder} cannot be locked ({fault.strerror})",
            "put the data folder on a local disk",
        )
    else:
        yield error(
            f"locks on files in {folder} do not hold", "put the data folder on a local disk"
        )
    finally:
        os.close(other)


def _kind(here: Installation) -> Iterator[CheckResult]:
    kind = kind_of(here.data)
    if _PASSING.fullmatch(kind):
        yield warning(
            f"{here.data} is on {kind}, and gone with this machine's memory or container",
            "put the data folder on a disk or a volume that stays",
        )
    on_sqlite = here.settings is not None and not here.settings.ON_POSTGRESQL
    if _NETWORK.fullmatch(kind) and on_sqlite:
        yield error(
            f"{here.data} is on a network file system ({kind}), where SQLite's locks and shared memory do not hold",
            "move the data folder to a local disk, or use PostgreSQL: DATABASE_URL",
        )
