"""Runs ``rollbook backup``."""

import sys
from argparse import Namespace

from django.conf import settings
from django.db import connection
from django.utils import timezone

from rollbook.accounts import installation_id
from rollbook.cli.errors import OK, USAGE, CommandError
from rollbook.cli.operation_problems import reporting_operation_problems
from rollbook.cli.printed_text import add_facts
from rollbook.cli.unusable_database import reporting_unusable_database
from rollbook.db import schema_version
from rollbook.db.diagnosis import require_version
from rollbook.operations.backup.create import Backup, create_backup
from rollbook.text import count_of, format_bytes

MAX_SHOWN = 3


def backup(arguments: Namespace) -> int:
    """Make a backup, also of a database that a newer version is about to migrate."""
    if arguments.keep and not arguments.target.is_dir():
        problem = "is not a folder" if arguments.target.exists() else "doesn't exist"
        raise CommandError(
            "not_a_folder",
            f"{arguments.target} {problem}; with --keep, name a folder that exists, because older "
            "backups in it are removed",
            USAGE,
        )
    with reporting_unusable_database():
        installation_id.require_database_of_used_folder()
        if not settings.DATA.is_dir() or installation_id.is_database_empty():
            raise CommandError(
                "no_database",
                f"there is nothing to back up in {settings.DATA}; name the right folder with "
                "--data, and the right database with DATABASE_URL",
            )
        require_version(connection)
        schema_version.require_not_newer()
        if not schema_version.pending_migrations():  # an older database doesn't have all columns
            installation_id.verify()
    with reporting_operation_problems():
        made = create_backup(
            arguments.target,
            with_keys=arguments.with_keys,
            keep=arguments.keep,
            now=timezone.now(),
        )
    add_facts(arguments, path=str(made.path), bytes=made.size)
    _print(made)
    return OK


def _print(made: Backup) -> None:
    manifest = made.manifest
    files = count_of(len(manifest.spool_names()), "uploaded file")
    where = "" if manifest.database == "sqlite" else "; those in the database are included too"
    print(f"Backed up to {made.path}, {format_bytes(made.size)}:")
    print(f"{count_of(manifest.rows, 'row')} in {len(manifest.tables)} tables, {files}{where}.")
    for path in made.removed:
        print(f"Removed the older backup {path.name}.")
    if manifest.has_keys:
        print("It contains the keys: anyone who can read it can use everything in it.")
    else:
        print(f"It has no keys. Keep a copy of {settings.KEYS} in another place.")
    if manifest.missing_files:
        names = ", ".join(manifest.missing_files[:MAX_SHOWN])
        count = count_of(len(manifest.missing_files), "uploaded file")
        print(f"WARNING: {count} missing from the spool folder: {names}", file=sys.stderr)
