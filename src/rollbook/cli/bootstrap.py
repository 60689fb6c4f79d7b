"""Before a subcommand begins: which data folder, then the settings, then a database of this version.

Nothing above this line of the house may import the settings: they make the folder that ``--data`` names.
"""

import os
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import django
from django.apps import apps
from django.db import Error, connection

from rollbook.cli.errors import CommandError
from rollbook.database.problems import problem, require_version

Outcome = TypeVar("Outcome", int, None)


def settings(arguments: Namespace) -> None:
    """The data folder, made at first use; the subcommand sees to the database itself."""
    set_data_folder(arguments)
    folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    if getattr(arguments, "behind_proxy", False):
        os.environ["ROLLBOOK_BEHIND_PROXY"] = "1"
    _set_up()


def new_database(arguments: Namespace) -> None:
    """The data folder and its database, made at first use."""
    settings(arguments)
    _migrate()


def database(arguments: Namespace) -> None:
    """A data folder that is there: a mistyped one must not become a new, empty one."""
    set_data_folder(arguments)
    if not folder().is_dir():
        raise CommandError(
            "no_data_folder",
            f"there is no data folder {folder()}; name yours with --data or ROLLBOOK_DATA, "
            "or begin one with `rollbook district add`",
        )
    _set_up()
    _migrate()


def operators(arguments: Namespace) -> None:
    """The same for the operators' pages, which have settings of their own."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "rollbook.doors.admin.settings"
    database(arguments)


def reporting_database_errors(run: Callable[[Namespace], Outcome], arguments: Namespace) -> Outcome:
    """Open, or run, the subcommand; a database that does not answer is not its fault."""
    try:
        return run(arguments)
    except Error as error:
        told = problem(error, connection.settings_dict)
        if told is None:
            raise
        raise CommandError("database", str(told)) from error


BOOTSTRAPS: dict[str, Callable[[Namespace], None]] = {
    "settings": settings,
    "new database": new_database,
    "database": database,
    "operators": operators,
}


def _set_up() -> None:
    if apps.ready:  # in tests; a second time would only take the log's handlers away
        return
    try:
        django.setup()
    except ValueError as error:
        raise CommandError(
            "bad_setting", f"a variable in the environment is wrong ({error}); correct it"
        ) from None


def set_data_folder(arguments: Namespace) -> None:
    """Let the folder that ``--data`` names be the one that the settings will find."""
    if "data" in arguments:
        os.environ.pop("ROLLBOOK_DATA_FILE", None)
        os.environ["ROLLBOOK_DATA"] = str(arguments.data.absolute())


def folder() -> Path:
    """The data folder, as the settings will find it."""
    named = os.environ.get("ROLLBOOK_DATA_FILE")
    if named:
        return Path(Path(named).read_text(encoding="utf-8").rstrip("\r\n")).absolute()
    return Path(os.environ.get("ROLLBOOK_DATA", "data")).absolute()


def _migrate() -> None:
    """Bring the database up to this version, if it is not, and see that the keys are its own."""
    from rollbook.engine import versions  # both need the settings
    from rollbook.staff import keyring

    require_version(connection)
    try:
        versions.bring_up()
        keyring.require_same()
    except versions.NewerDatabase as newer:
        raise CommandError("newer_database", str(newer)) from None
    except keyring.OtherKeys as other:
        raise CommandError("other_keys", str(other)) from None
