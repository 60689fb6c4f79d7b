"""Runs ``rollbook move``."""

import sys
from argparse import Namespace

from django.conf import settings
from django.db import connection
from django.utils import timezone

from rollbook.cli.errors import OK
from rollbook.cli.operation_problems import reporting_operation_problems
from rollbook.cli.unusable_database import reporting_unusable_database
from rollbook.db.diagnosis import require_version
from rollbook.operations.moving.move import SQLITE_NAME
from rollbook.operations.moving.move import move as move_everything
from rollbook.text import count_of

MAX_SHOWN = 3


def move(arguments: Namespace) -> int:
    """Move everything to the database of the settings, which is the one of ``--to``."""
    with reporting_unusable_database(), reporting_operation_problems():
        require_version(connection)
        moved = move_everything(timezone.now(), _report)
    print(
        f"Moved {count_of(moved.rows, 'row')} in {moved.tables} tables and "
        f"{count_of(moved.files, 'uploaded file')}; all of them are the same in PostgreSQL."
    )
    if moved.missing_files:
        names = ", ".join(moved.missing_files[:MAX_SHOWN])
        count = count_of(len(moved.missing_files), "uploaded file")
        print(f"WARNING: {count} missing from the spool folder: {names}", file=sys.stderr)
    print("Set DATABASE_URL to the address that you gave with --to, then start the server.")
    print(
        f"{settings.DATA / SQLITE_NAME} is no longer used. Delete it when you are sure that you "
        "don't want to go back; keep the rest of the folder."
    )
    return OK


def _report(step: str) -> None:
    print(f"{step} ...", file=sys.stderr, flush=True)
