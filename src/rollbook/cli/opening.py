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
from django.core.management import call_command
from django.db import DatabaseError, OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

from rollbook.cli.failures import Failure

Outcome = TypeVar("Outcome", int, None)

# Locked, full, not readable; and not a database at all. Their descendants are mistakes of ours.
_OF_THE_DATABASE = (OperationalError, DatabaseError)


def settings(arguments: Namespace) -> None:
    """The data folder, made at first use; the subcommand sees to the database itself."""
    _choose(arguments)
    _folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    if getattr(arguments, "behind_proxy", False):
        os.environ["ROLLBOOK_BEHIND_PROXY"] = "1"
    _set_up()


def new_database(arguments: Namespace) -> None:
    """The data folder and its database, made at first use."""
    settings(arguments)
    _migrate()


def database(arguments: Namespace) -> None:
    """A data folder that is there: a mistyped one must not become a new, empty one."""
    _choose(arguments)
    if not _folder().is_dir():
        raise Failure(
            "no_data_folder",
            f"there is no data folder {_folder()}; name yours with --data or ROLLBOOK_DATA, "
            "or begin one with `rollbook district add`",
        )
    _set_up()
    _migrate()


def answering(run: Callable[[Namespace], Outcome], arguments: Namespace) -> Outcome:
    """Open, or run, the subcommand; a database that does not answer is not its fault."""
    try:
        return run(arguments)
    except DatabaseError as error:
        if type(error) not in _OF_THE_DATABASE:
            raise
        raise Failure(
            "database",
            f"the database in {_folder()} does not answer ({error}); see that its disk has room, and try again",
        ) from error


OPENINGS: dict[str, Callable[[Namespace], None]] = {
    "settings": settings,
    "new database": new_database,
    "database": database,
}


def _set_up() -> None:
    if apps.ready:  # in tests; a second time would only take the log's handlers away
        return
    try:
        django.setup()
    except ValueError as error:
        raise Failure(
            "bad_setting", f"a ROLLBOOK_ variable in the environment is wrong ({error}); correct it"
        ) from None


def _choose(arguments: Namespace) -> None:
    if "data" in arguments:
        os.environ.pop("ROLLBOOK_DATA_FILE", None)
        os.environ["ROLLBOOK_DATA"] = str(arguments.data.absolute())


def _folder() -> Path:
    """The same folder that the settings will find."""
    named = os.environ.get("ROLLBOOK_DATA_FILE")
    if named:
        return Path(Path(named).read_text(encoding="utf-8").rstrip("\r\n")).absolute()
    return Path(os.environ.get("ROLLBOOK_DATA", "data")).absolute()


def _migrate() -> None:
    """Bring the database up to this version, if it is not."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", verbosity=0, interactive=False)
