"""Make a backup of an installation while it is in use."""

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from django.conf import settings

from rollbook.operations import durable
from rollbook.operations.backup import facts, last
from rollbook.operations.backup.archive import (
    SUFFIXES,
    describe_file,
    is_compressed,
    write_archive,
)
from rollbook.operations.backup.former import is_backup, is_of_installation, remove_older
from rollbook.operations.backup.manifest import DATABASES, KEYS, SPOOL, Manifest
from rollbook.operations.backup.snapshot import take_snapshot
from rollbook.operations.folders import work_folder
from rollbook.operations.problem import OperationProblem
from rollbook.updates.receiving import files as spool

WORK_PREFIX = ".rollbook-backup-"
"""The beginning of the names of the folders in which archives are written."""

_WORK_ARCHIVE = "archive"


@dataclass(frozen=True, slots=True)
class Backup:
    """A finished backup.

    Attributes:
        path: The archive.
        size: Its bytes.
        manifest: What it contains.
        removed: Older backups that were removed.
    """

    path: Path
    size: int
    manifest: Manifest
    removed: tuple[Path, ...]


def create_backup(target: Path, *, with_keys: bool, keep: int | None, now: datetime) -> Backup:
    """Make a backup; the archive has its name only once it is complete and on the disk.

    1. Read one state of the database into a file, with its counts and digests.
    2. Find the uploaded files that this state refers to. No process deletes one meanwhile.
    3. Write the archive with a temporary name, sync and rename it.
    4. Record the backup in the database, and remove older ones.

    Args:
        target: A folder, in which a new archive with the time in its name is written; otherwise
            the archive.
        with_keys: Whether the archive contains the keys.
        keep: How many backups of this installation the folder keeps; None: all.
        now: The present time.

    Raises:
        OperationProblem: It can't be made.
        OSError: The disk is full, for example.
    """
    folder = _folder_of(target)
    with spool.hold_removals() as is_alone:
        if not is_alone:
            raise OperationProblem(
                "backup_running",
                f"another backup of {settings.DATA} is running; wait until it has ended",
            )
        with work_folder(folder, WORK_PREFIX) as work:
            manifest = _write(work, target, with_keys=with_keys, now=now)
            path = _archive_path(target, manifest)
            durable.replace(work / _WORK_ARCHIVE, path)
    size = path.stat().st_size
    last.record_backup(manifest.created_at, size)
    removed = () if keep is None else remove_older(folder, manifest.installation_id, keep)
    return Backup(path, size, manifest, tuple(removed))


def _folder_of(target: Path) -> Path:
    """Return the folder that will contain the archive."""
    folder = target if target.is_dir() else target.parent
    if not target.is_dir() and not target.name.endswith(SUFFIXES):
        raise OperationProblem(
            "no_folder",
            f"{target} is not a folder, and not the name of an archive, which ends with .tar or "
            ".tar.gz; create the folder, or name an archive",
        )
    if not folder.is_dir():
        raise OperationProblem("no_folder", f"there is no folder {folder}; create it first")
    if target.is_file() and not is_backup(target):
        raise _name_is_taken(target)
    if folder.resolve().is_relative_to(settings.DATA.resolve()):
        raise OperationProblem(
            "inside_data_folder",
            f"{folder} is in the data folder, with which the backup would be lost; choose a folder "
            "on another disk",
        )
    return folder


def _archive_path(target: Path, manifest: Manifest) -> Path:
    """Return the name of the finished archive.

    Raises:
        OperationProblem: A file that isn't a backup of this installation has that name.
    """
    if target.is_dir():
        short_id = manifest.installation_id[:8]
        return target / f"rollbook-{short_id}-{manifest.created_at:%Y%m%dT%H%M%SZ}.tar.gz"
    if target.exists() and not is_of_installation(target, manifest.installation_id):
        raise _name_is_taken(target)
    return target


def _name_is_taken(target: Path) -> OperationProblem:
    return OperationProblem(
        "file_exists",
        f"{target} exists and is not a backup of this installation; choose another name",
    )


def _write(work: Path, target: Path, *, with_keys: bool, now: datetime) -> Manifest:
    """Write the archive into the work folder."""
    name = target.name if not target.is_dir() else ".tar.gz"
    archive = work / f"{_WORK_ARCHIVE}{'.gz' if name.endswith('.gz') else ''}"
    dump = work / "database"
    with take_snapshot(dump, compressed=not is_compressed(archive)) as snapshot:
        manifest = facts.describe(snapshot, now)
        wanted = facts.needed_files(snapshot)
    sources = {DATABASES[manifest.database]: dump}
    present = [each for each in wanted if spool.path_of(each).is_file()]
    sources |= {f"{SPOOL}{each}": spool.path_of(each) for each in present}
    if with_keys:
        sources |= {f"{KEYS}{each}": settings.KEYS / each for each in manifest.key_fingerprints}
    manifest = replace(
        manifest,
        files={each: describe_file(source) for each, source in sources.items()},
        missing_files=tuple(sorted(set(wanted) - set(present))),
    )
    write_archive(archive, manifest, sources)
    archive.rename(work / _WORK_ARCHIVE)
    return manifest
