"""Find and remove older backups of this installation in a folder."""

from pathlib import Path

from rollbook.operations import durable
from rollbook.operations.backup.archive import open_archive
from rollbook.operations.backup.manifest import Manifest
from rollbook.operations.problem import OperationProblem

PATTERN = "rollbook-*.tar.gz"
"""Of the archives whose names Rollbook has chosen; others are never removed."""


def remove_older(folder: Path, installation_id: str, keep: int) -> list[Path]:
    """Remove all but the newest backups of this installation that Rollbook has named itself.

    Args:
        folder: The folder with the backups.
        installation_id: Those of other installations are kept.
        keep: How many to keep.

    Returns:
        The removed ones.
    """
    backups = []
    for path in sorted(folder.glob(PATTERN)):
        manifest = _read_manifest(path)
        if manifest and manifest.installation_id == installation_id:
            backups.append((manifest.created_at, path))
    outdated = [path for _, path in sorted(backups)[:-keep]]
    for path in outdated:
        durable.remove(path)
    return outdated


def is_backup(path: Path) -> bool:
    """Return whether the file is a backup of any installation."""
    return _read_manifest(path) is not None


def is_of_installation(path: Path, installation_id: str) -> bool:
    """Return whether the file is a backup of this installation."""
    manifest = _read_manifest(path)
    return manifest is not None and manifest.installation_id == installation_id


def _read_manifest(path: Path) -> Manifest | None:
    try:
        with open_archive(path) as archive:
            return archive.manifest
    except (OperationProblem, OSError):
        return None
