"""Files and folders that survive a power failure once these functions have returned."""

import os
from pathlib import Path


def write_file(path: Path, content: bytes) -> None:
    """Write a file so that it has either its former content or this one."""
    temporary = temporary_path(path)
    with temporary.open("wb") as file:
        file.write(content)
        sync(file.fileno())
    replace(temporary, path)


def temporary_path(path: Path) -> Path:
    """Return the path under which ``write_file`` writes a file first."""
    return path.with_name(f".{path.name}.new")


def replace(source: Path, target: Path) -> None:
    """Rename a synced file, replacing another one."""
    source.replace(target)
    sync_folder(target.parent)
    if source.parent != target.parent:
        sync_folder(source.parent)


def remove(path: Path) -> None:
    """Delete a file if it exists."""
    path.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync(descriptor: int) -> None:
    """Wait until a file is on the disk."""
    os.fsync(descriptor)


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
