"""Folders of unfinished work."""

import fcntl
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LOCK, _SUFFIX = "lock", ".partial"


@contextmanager
def work_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """Create a folder for unfinished work, and remove it in the end.

    Folders that killed processes have left with the same prefix are removed first: no process holds
    the lock of a file in them.
    """
    for former in parent.glob(f"{prefix}*{_SUFFIX}"):
        if _is_abandoned(former):
            shutil.rmtree(former, ignore_errors=True)
    folder = parent / f"{prefix}{secrets.token_hex(4)}{_SUFFIX}"
    folder.mkdir(mode=0o700)
    try:
        with (folder / _LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_folder(path: Path) -> None:
    """Remove a folder with everything in it, if it exists."""
    if path.exists():
        shutil.rmtree(path)


def _is_abandoned(folder: Path) -> bool:
    try:
        with (folder / _LOCK).open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except FileNotFoundError:
        return True
    return True
