"""Restore a backup into an empty data folder and an empty database."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction

from rollbook.accounts import installation_id, retention_guard
from rollbook.accounts.audit import log as audit_log
from rollbook.accounts.audit import seals
from rollbook.accounts.audit.seals import Verification
from rollbook.accounts.models import Installation
from rollbook.db import schema_version
from rollbook.db.migrating import migrate_if_needed, migration_lock
from rollbook.operations import durable, folder_lock
from rollbook.operations.backup import restore_database
from rollbook.operations.backup.archive import ArchiveReader, open_archive
from rollbook.operations.backup.manifest import SPOOL, Manifest, newer_version
from rollbook.operations.backup.restore_keys import KeySource, key_of
from rollbook.operations.backup.restore_progress import Progress
from rollbook.operations.folders import remove_folder
from rollbook.operations.keys import loss
from rollbook.operations.problem import OperationProblem
from rollbook.system_accounts import command_agent

SCRATCH = "restore.partial"
"""The folder in the data folder into which the archive is unpacked."""

MAY_EXIST = frozenset(
    {
        "keys",
        "certificate.pem",
        "certificate.key",
        "lost+found",
        SCRATCH,
        "migrate.lock",
        "worker.wake",  # see jobs/single_worker/wake_up.py
        *folder_lock.LOCK_FILES,
    }
)
"""What an empty data folder may contain: what the operator has put there, and locks."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored.

    Attributes:
        manifest: Of the backup.
        audit: The result of verifying the audit log; None if its key is lost.
        lost_keys: The names of the keys that are lost.
    """

    manifest: Manifest
    audit: Verification | None
    lost_keys: tuple[str, ...]


def restore(path: Path, *, keys: Path | None, without_keys: bool, now: datetime) -> Restored:
    """Restore a backup; run again after a kill, it continues where it was.

    1. Check the manifest, the keys, and that folder and database are empty.
    2. Write the marker file, with which nothing else starts.
    3. Unpack the archive into a folder beside the data, and verify each file.
    4. Restore the database, and verify the rows of each table.
    5. Put the keys and the uploaded files in place, and migrate the database to this version.
    6. Hold emails and retention until the operator releases them.
    7. Remove the marker file.

    Args:
        path: The archive.
        keys: A folder with the keys, if they are not in the archive.
        without_keys: Whether to restore although keys are lost.
        now: The present time.

    Raises:
        OperationProblem: It can't be restored.
        OSError: The disk is full, for example.
    """
    data: Path = settings.DATA
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    with folder_lock.lock_data_folder(data), open_archive(path) as archive:
        manifest = archive.manifest
        require_usable_here(manifest)
        key_source = KeySource(_key_folders(keys), manifest)
        progress = Progress.load(installation_id.restore_marker(), manifest)
        if progress is None:
            _require_empty(data)
        key_source.require(without_keys=without_keys)
        progress = progress or Progress.begin(installation_id.restore_marker(), manifest)
        _run_steps(archive, progress, key_source, now)
    lost = tuple(key_source.missing())
    return Restored(manifest, None if "logins" in lost else seals.verify(), lost)


def require_usable_here(manifest: Manifest) -> None:
    """Check that this version of Rollbook can restore the backup into the database it uses.

    Raises:
        OperationProblem: It can't.
    """
    if manifest.database == connection.vendor:
        if schema_version.unknown_migrations(manifest.migrations):
            raise newer_version(manifest.version)
        return
    if manifest.database == "sqlite":
        fix = (
            "unset DATABASE_URL and restore it to SQLite; after that, `rollbook move` moves "
            "everything to PostgreSQL"
        )
    else:
        fix = "set DATABASE_URL to an empty PostgreSQL database"
    raise OperationProblem("other_database", f"this is a backup of {manifest.database}; {fix}")


def _key_folders(keys: Path | None) -> tuple[Path, ...]:
    if keys and not keys.is_dir():
        raise OperationProblem("no_folder", f"there is no folder {keys}; correct --keys")
    return (settings.KEYS, keys) if keys else (settings.KEYS,)


def _require_empty(data: Path) -> None:
    """Refuse a folder or a database that is or was in use."""
    unfinished_marker = durable.temporary_path(installation_id.restore_marker()).name
    may_exist = MAY_EXIST | {unfinished_marker}
    others = sorted(path.name for path in data.iterdir() if path.name not in may_exist)
    if others:
        raise OperationProblem(
            "not_empty",
            f"{data} is not empty: it contains {others[0]}; restore into a new folder with --data, "
            "or move this one away first",
        )
    if not installation_id.is_database_empty():
        raise OperationProblem(
            "not_empty",
            "the database has tables; restore into a new database, which DATABASE_URL names",
        )


def _run_steps(archive: ArchiveReader, progress: Progress, keys: KeySource, now: datetime) -> None:
    data, manifest = settings.DATA, archive.manifest
    scratch = data / SCRATCH
    progress.run("unpack", lambda: _unpack(archive, scratch, progress))
    progress.run("database", lambda: restore_database.put_in_place(manifest, scratch))
    progress.run("verify", lambda: restore_database.verify(manifest))
    progress.run("mark", restore_database.mark_unfinished)
    progress.run("keys", lambda: keys.copy_to(settings.KEYS, scratch))
    progress.run("files", lambda: _put_files_in_place(scratch / SPOOL))
    progress.run("migrate", _migrate)
    progress.run("settle", lambda: _settle(manifest, keys.missing(), now))
    remove_folder(scratch)
    progress.end()


def _migrate() -> None:
    with migration_lock():
        migrate_if_needed()


def _unpack(archive: ArchiveReader, scratch: Path, progress: Progress) -> None:
    """Unpack the archive; if it's damaged or the disk is full, leave the folder as it was."""
    remove_folder(scratch)
    scratch.mkdir(mode=0o700)
    try:
        archive.unpack(scratch)
    except BaseException:  # Ctrl-C too
        remove_folder(scratch)
        progress.end()
        raise


def _put_files_in_place(unpacked: Path) -> None:
    settings.SPOOL.mkdir(mode=0o700, parents=True, exist_ok=True)
    if unpacked.is_dir():
        for path in unpacked.iterdir():
            path.replace(settings.SPOOL / path.name)
    durable.sync_folder(settings.SPOOL)


def _settle(manifest: Manifest, lost_keys: list[str], now: datetime) -> None:
    """Let the folder belong to the database, and hold what must not happen by itself."""
    reason = f"a backup of {manifest.created_at:%Y-%m-%d %H:%M} UTC was restored"
    with transaction.atomic():
        Installation.objects.update(
            unfinished="",
            moved_at=None,
            restored_at=now,
            restored_backup_at=manifest.created_at,
            mail_held_since=now,
            backed_up_at=manifest.created_at,
        )
        for name in sorted(set(map(key_of, lost_keys))):
            loss.accept(name, now)
        retention_guard.stop(reason, now)
        audit_log.record("restore", "done", agent=command_agent(), detail=reason, now=now)
    installation_id.write_to_folder(manifest.installation_id)
