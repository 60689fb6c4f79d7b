"""The identity of an installation, which its database and its data folder share.

A server that is started with another database would take all uploaded files for leftovers and
remove them, and new keys and records would be mixed with old ones. So both contain the same ID, and
nothing is done while they differ, or while the folder is in use and the database is empty or gone.
"""

import secrets
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Model

from rollbook import atomic_file
from rollbook.accounts.models import Installation
from rollbook.db.diagnosis import require_version
from rollbook.db.migrating import migrate_if_needed, migration_lock
from rollbook.districts.models import District

PREFIX_LENGTH = 16
MOVED_TRIGGER = "everything_was_moved"
"""In a SQLite database that everything was moved from, this refuses uploads."""

_ADOPT = (
    "correct DATABASE_URL or the data folder, or restore the backup; if they are meant to be used "
    "together, run `rollbook adopt`"
)


class WrongDatabase(Exception):
    """The database doesn't belong to the data folder; the text says how to fix it."""


def require_database_of_used_folder() -> None:
    """Check that the database isn't empty or gone if the data folder is in use.

    This creates no database.

    Raises:
        WrongDatabase: The folder has keys or files, but there is no database for them, or a backup
            is being restored into the folder.
    """
    require_finished_restore()
    # In this order: meanwhile, another process may create the tables and then use the folder.
    if (used := _use_of_folder()) and is_database_empty():
        raise WrongDatabase(f"{settings.DATA} has {used}, but the database is empty; {_ADOPT}")


def require_finished_restore() -> None:
    """Check that no restore into the data folder was begun and not finished.

    Raises:
        WrongDatabase: One was.
    """
    if restore_marker().exists():
        raise WrongDatabase(
            f"a backup is being restored into {settings.DATA}, or was when the process was ended; "
            "run the same `rollbook restore` again until it says that it is done"
        )


def restore_marker() -> Path:
    """Return the path of the file that exists while a backup is being restored."""
    path: Path = settings.DATA / "restore.unfinished"
    return path


def is_database_empty() -> bool:
    """Return whether the database has no tables or, on SQLite, doesn't exist."""
    if connection.vendor == "sqlite" and not _exists(str(connection.settings_dict["NAME"])):
        return True
    return not connection.introspection.table_names()


def is_database_unused() -> bool:
    """Return whether creating the rest of its tables changes nothing that anyone has used.

    This is also so if a process was killed while it created them.
    """
    if is_database_empty():
        return True
    tables = set(connection.introspection.table_names())
    models: tuple[type[Model], ...] = (Installation, District)
    existing = [model for model in models if model._meta.db_table in tables]
    return not any(model._default_manager.exists() for model in existing)


def create_tables_if_unused() -> None:
    """Create the tables of an unused database; leave any other one as it is."""
    if connection.vendor == "postgresql" and not is_database_unused():
        return
    with migration_lock():
        if is_database_unused():
            require_version(connection)
            migrate_if_needed()


def verify() -> None:
    """Compare the ID in the data folder with the one in the database, and store it where missing.

    Raises:
        WrongDatabase: See ``require_match``.
    """
    require_match()
    adopt()


def require_match() -> None:
    """Compare the ID in the data folder with the one in the database, and store nothing.

    Raises:
        WrongDatabase: They differ, only the folder was in use before, or the database is not to
            be used: everything was moved to another one, or is being moved or restored to this one.
    """
    installation = Installation.objects.first()
    if installation:
        _require_usable(installation)
    stored, in_folder = _stored_id(), _id_in_folder()
    if stored and in_folder and stored != in_folder:
        raise WrongDatabase(f"{settings.DATA} belongs to another database; {_ADOPT}")
    if not stored and not District.objects.exists() and (used := _use_of_folder()):
        raise WrongDatabase(
            f"{settings.DATA} has {used}, but the database has no districts; {_ADOPT}"
        )


def adopt() -> bool:
    """Let the data folder belong to the database from now on; return whether it did before."""
    stored = _stored_id()
    if stored is None:
        # Never the ID of the folder: the files of its former database must not be swept.
        new_id = {"key": secrets.token_hex(16)}
        stored = Installation.objects.get_or_create(pk=1, defaults=new_id)[0].key
    if _id_in_folder() == stored:
        return True
    _write(stored)
    return False


def adopt_moved() -> bool:
    """Use a database again that everything was moved from; return whether it was.

    Raises:
        WrongDatabase: A restore or a move to it is not finished.
    """
    require_finished_restore()
    installation = Installation.objects.first()
    if installation and installation.unfinished:
        _require_usable(installation)
    if installation is None or not installation.moved_at:
        return False
    with transaction.atomic(), connection.cursor() as cursor:
        Installation.objects.update(moved_at=None)
        cursor.execute(f"DROP TRIGGER IF EXISTS {MOVED_TRIGGER}")
    return True


def write_to_folder(installation_id: str) -> None:
    """Let the data folder belong to the database with this ID."""
    if _id_in_folder() != installation_id:
        _write(installation_id)


def file_prefix() -> str:
    """Return the beginning of the names of this installation's files in the spool folder."""
    installation_id = _id_in_folder()
    if installation_id is None:
        adopt()
        installation_id = _stored_id() or ""
    return f"{installation_id[:PREFIX_LENGTH]}-"


def _require_usable(installation: Installation) -> None:
    if installation.unfinished:
        raise WrongDatabase(
            f"a {installation.unfinished} to this database was begun and is not finished; run the "
            f"same `rollbook {installation.unfinished}` again until it says that it is done"
        )
    if installation.moved_at:
        raise WrongDatabase(
            f"everything was moved from this database to PostgreSQL at "
            f"{installation.moved_at:%Y-%m-%d %H:%M} UTC; set DATABASE_URL. If you want to go back "
            "to this database, without what has changed since, run `rollbook adopt`"
        )


def _stored_id() -> str | None:
    installation = Installation.objects.first()
    return installation.key if installation else None


def _path() -> Path:
    path: Path = settings.DATA / "installation"
    return path


def _id_in_folder() -> str | None:
    try:
        return _path().read_text(encoding="ascii").strip() or None
    except FileNotFoundError:
        return None


def _write(installation_id: str) -> None:
    atomic_file.write(_path(), f"{installation_id}\n")


def _use_of_folder() -> str:
    """Return what shows that the data folder is in use, or an empty string."""
    if _id_in_folder():
        return "the ID of an installation"
    if _has_files(settings.KEYS):
        return "keys"
    return "uploaded files" if _has_files(settings.SPOOL) else ""


def _has_files(folder: Path) -> bool:
    return folder.is_dir() and any(folder.iterdir())


def _exists(name: str) -> bool:
    # A database in memory, which tests may use, has no file.
    path = Path(name)
    return "memory" in name or (path.exists() and not (path.is_file() and not path.stat().st_size))
