"""Prepares Rollbook for a command: choose the data folder, load the settings, open the database.

No module that is imported before this one may import the settings: they use the folder that
``--data`` names.
"""

import os
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import django
from django.apps import apps
from django.db import Error, connection

from rollbook import environment
from rollbook.cli.errors import NEWER_DATABASE, CommandError
from rollbook.cli.registration import Bootstrap
from rollbook.db.diagnosis import diagnose, require_version
from rollbook.db.schema_version import DatabaseIsNewer, require_not_newer
from rollbook.db.url import MissingPackages, postgresql_settings
from rollbook.system_accounts import account_name, other_owner, sudo_user


def read_settings(arguments: Namespace) -> None:
    """Load the settings, and create nothing."""
    set_data_folder(arguments)
    require_own_folder(arguments)
    _set_up_django()


def read_settings_as_owner(arguments: Namespace) -> None:
    """Do the same, and connect as the owner of the tables, if that is another role."""
    _connect_as_owner(arguments)
    read_settings(arguments)


def load_settings_as_owner(arguments: Namespace) -> None:
    """Load the settings like ``load_settings``, and connect as the owner of the tables."""
    _connect_as_owner(arguments)
    load_settings(arguments)


def _connect_as_owner(arguments: Namespace) -> None:
    """Use the URL with the owner; remember the role to which what is needed is granted."""
    arguments.running_role = ""
    owner_url, url = environment.MIGRATE_DATABASE_URL.read(), environment.DATABASE_URL.read()
    if not owner_url:
        return
    # Not for child processes, which may use another database.
    os.environ.pop(environment.MIGRATE_DATABASE_URL.name, None)
    os.environ.pop(environment.MIGRATE_DATABASE_URL.file_variable, None)
    if not url:
        raise CommandError(
            "bad_setting",
            f"{environment.MIGRATE_DATABASE_URL.name} is set, but DATABASE_URL isn't; set it to "
            "the same database with the role of the web servers and workers",
        )
    try:
        running, owner = postgresql_settings(url), postgresql_settings(owner_url)
    except ValueError as error:
        raise CommandError("bad_setting", f"an address of the database: {error}") from None
    if running["USER"] != owner["USER"]:
        arguments.running_role = running["USER"]
    os.environ.pop(environment.DATABASE_URL.file_variable, None)
    os.environ[environment.DATABASE_URL.name] = owner_url


def load_settings_of_target(arguments: Namespace) -> None:
    """Load the settings with the database that everything is to be moved to."""
    set_data_folder(arguments)
    if environment.DATABASE_URL.read():
        raise CommandError(
            "already_postgresql",
            "DATABASE_URL is set, so everything is in PostgreSQL already; to move it to another "
            "PostgreSQL database, use `rollbook backup` and `rollbook restore`. To move it from "
            "SQLite, unset DATABASE_URL",
        )
    _require_data_folder()
    require_own_folder(arguments)
    url = arguments.to or arguments.to_file.read_text(encoding="utf-8").strip()
    os.environ[environment.DATABASE_URL.name] = url
    _set_up_django()


def load_settings(arguments: Namespace) -> None:
    """Load the settings, creating the data folder on first use; the command opens the database."""
    set_data_folder(arguments)
    require_own_folder(arguments)
    data_folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    if getattr(arguments, "behind_proxy", False):
        os.environ[environment.BEHIND_PROXY.name] = "1"
    _set_up_django()


def open_or_create_database(arguments: Namespace) -> None:
    """Load the settings and open the database, creating it and the data folder on first use."""
    load_settings(arguments)
    _open(may_create=True)


def open_database(arguments: Namespace) -> None:
    """Load the settings and open the database of an existing data folder.

    A mistyped data folder must not become a new, empty one.
    """
    _load_settings_of_existing_folder(arguments)
    _open(may_create=False)


def open_database_without_keys(arguments: Namespace) -> None:
    """Do the same, even if keys are missing or damaged."""
    _load_settings_of_existing_folder(arguments)
    _open(may_create=False, needs_keys=False)


def _load_settings_of_existing_folder(arguments: Namespace) -> None:
    set_data_folder(arguments)
    _require_data_folder()
    require_own_folder(arguments)
    _set_up_django()


def open_database_for_operator_pages(arguments: Namespace) -> None:
    """Do the same with the settings of the operators' pages."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "rollbook.web.operators.settings"
    open_database(arguments)


BOOTSTRAPS: dict[Bootstrap, Callable[[Namespace], None]] = {
    Bootstrap.READ_SETTINGS: read_settings,
    Bootstrap.SETTINGS: load_settings,
    Bootstrap.READ_SETTINGS_AS_OWNER: read_settings_as_owner,
    Bootstrap.SETTINGS_AS_OWNER: load_settings_as_owner,
    Bootstrap.MOVE: load_settings_of_target,
    Bootstrap.NEW_DATABASE: open_or_create_database,
    Bootstrap.DATABASE: open_database,
    Bootstrap.DATABASE_WITHOUT_KEYS: open_database_without_keys,
    Bootstrap.OPERATOR_PAGES: open_database_for_operator_pages,
}


@contextmanager
def reporting_database_errors() -> Iterator[None]:
    """Turn a known database error, such as no connection or a full disk, into a CommandError.

    A newer version may have migrated the database while the command runs, which then has any error.
    """
    try:
        yield
    except (CommandError, OSError):
        raise
    except Exception as error:
        _report_newer_database()
        if not isinstance(error, Error):
            raise
        diagnosis = diagnose(error, connection.settings_dict)
        if diagnosis is None:
            raise
        raise CommandError("database", str(diagnosis)) from error


def _report_newer_database() -> None:
    """Check whether the current error was caused by a newer version.

    Raises:
        CommandError: A newer version has migrated the database.
    """
    if not apps.ready:
        return
    try:
        with suppress(Error):
            require_not_newer()
    except DatabaseIsNewer as newer:
        raise CommandError("newer_database", str(newer), NEWER_DATABASE) from None


def set_data_folder(arguments: Namespace) -> None:
    """Pass the folder that ``--data`` names on to the settings."""
    if "data" in arguments:
        os.environ.pop(environment.DATA.file_variable, None)
        os.environ[environment.DATA.name] = str(arguments.data.absolute())


def data_folder() -> Path:
    """Return the data folder that the settings will use."""
    return environment.DATA.read()


def require_own_folder(arguments: Namespace) -> None:
    """Check that this account owns the data folder, before any file is created in it.

    The server can't use a file that root has created there, such as SQLite's write-ahead log.

    Raises:
        CommandError: The folder belongs to another account; the text names it.
    """
    owner = other_owner(data_folder())
    if owner is not None:
        raise CommandError(
            "wrong_account",
            f"the data folder {data_folder()} belongs to {account_name(owner)}, but this command "
            f"runs as {account_name(os.geteuid())}; run it as the account that owns the folder: "
            f"`sudo -u {sudo_user(owner)} {arguments.command_name} ...`",
        )


def _require_data_folder() -> None:
    if not data_folder().is_dir():
        raise CommandError(
            "no_data_folder",
            f"there is no data folder at {data_folder()}; name the right one with --data or "
            "ROLLBOOK_DATA, or create one with `rollbook district add`",
        )


def _set_up_django() -> None:
    if apps.ready:  # in tests; a second setup would remove pytest's log handlers
        return
    try:
        django.setup()
    except MissingPackages as error:
        raise CommandError("missing_packages", str(error)) from None
    except ValueError as error:
        raise CommandError(
            "bad_setting", f"an environment variable has an invalid value ({error}); correct it"
        ) from None


def _open(*, may_create: bool, needs_keys: bool = True) -> None:
    """Check that the database is one of this version that belongs to the folder and its keys.

    Args:
        may_create: Whether the tables of an unused database may be created.
        needs_keys: Whether the keys must be usable.
    """
    # Imported here because they use the settings, which exist only after django.setup().
    from rollbook.accounts import installation_id, key_fingerprints
    from rollbook.cli.unusable_database import reporting_unusable_database
    from rollbook.db import schema_version

    with reporting_unusable_database():
        installation_id.require_database_of_used_folder()
        if not may_create and installation_id.is_database_empty():
            raise CommandError(
                "no_database",
                f"there is no database for the data folder {data_folder()}; set DATABASE_URL, or "
                "create a database with `rollbook district add`",
            )
        if may_create:
            installation_id.create_tables_if_unused()
        require_version(connection)
        schema_version.require_current()
        installation_id.verify()
        if needs_keys:
            key_fingerprints.verify_keys()
