"""Runs ``rollbook migrate``."""

import threading
from argparse import Namespace

from django.conf import settings
from django.db import connection

from rollbook.accounts import installation_id
from rollbook.cli.errors import OK, CommandError
from rollbook.cli.unusable_database import reporting_unusable_database
from rollbook.db import migration_plan, schema_version, schema_watch
from rollbook.db import running_role as roles
from rollbook.db.diagnosis import require_version
from rollbook.db.migrating import migrate_if_needed, migration_lock

_NOTHING_TO_DO = "The database is of this version; there is nothing to do."


def migrate(arguments: Namespace) -> int:
    """Apply the pending migrations, only print them, or wait until another process has."""
    with reporting_unusable_database():
        if arguments.wait:
            _wait()
        elif arguments.plan:
            _print_plan()
        else:
            _migrate(arguments.running_role)
    return OK


def _wait() -> None:
    if connection.vendor == "sqlite" and installation_id.is_database_empty():
        raise CommandError(
            "no_database",
            f"there is no database for the data folder {settings.DATA}; set DATABASE_URL, or run "
            "`rollbook migrate` without --wait",
        )
    schema_watch.wait_until_current(threading.Event())
    print("The database is of this version.")


def _print_plan() -> None:
    installation_id.require_database_of_used_folder()
    if installation_id.is_database_empty():
        print("The database is empty; all tables would be created.")
        return
    require_version(connection)
    schema_version.require_not_newer()
    plan = migration_plan.make_plan()
    for line in migration_plan.describe(plan):
        print(line)
    if not plan:
        print(_NOTHING_TO_DO)


def _migrate(running_role: str) -> None:
    applied: list[str] = []

    def report(name: str) -> None:
        print(name, flush=True)
        applied.append(name)

    with migration_lock():
        installation_id.require_database_of_used_folder()
        require_version(connection)
        migrate_if_needed(report)
        if running_role:
            roles.grant(running_role)
        installation_id.verify()
    if not applied:
        print(_NOTHING_TO_DO)
