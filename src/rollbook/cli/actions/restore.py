"""Runs ``rollbook restore``."""

import sys
from argparse import Namespace

from django.conf import settings
from django.utils import timezone

from rollbook.cli.errors import OK, CommandError
from rollbook.cli.operation_problems import reporting_operation_problems
from rollbook.cli.unusable_database import reporting_unusable_database
from rollbook.db import running_role
from rollbook.operations.backup.check import check_backup
from rollbook.operations.backup.restore import Restored
from rollbook.operations.backup.restore import restore as restore_backup
from rollbook.text import count_of

AFTERWARD = """\
Before you start the server:
* The original must never run again: both have the same installation ID, and would send the same
  emails and number their updates the same.
* Passwords, permissions and API tokens are those of the time of the backup.
* Emails are held. See `rollbook mail show`, then run `rollbook mail release`.
* Expired data is kept until you run `rollbook retention resume`.
* `rollbook doctor` lists uploaded files that the backup doesn't know."""


def restore(arguments: Namespace) -> int:
    """Restore a backup, or only rehearse that."""
    if not arguments.archive.is_file():
        raise CommandError("no_file", f"there is no file {arguments.archive}; name a backup")
    with reporting_operation_problems(), reporting_unusable_database():
        if arguments.check:
            return _check(arguments)
        restored = restore_backup(
            arguments.archive,
            keys=arguments.keys,
            without_keys=arguments.without_keys,
            now=timezone.now(),
        )
    if arguments.running_role:
        running_role.grant(arguments.running_role)
    _print(restored)
    return OK


def _check(arguments: Namespace) -> int:
    output = check_backup(
        arguments.archive, keys=arguments.keys, without_keys=arguments.without_keys
    )
    print(output.replace(f"{AFTERWARD}\n", ""), end="")
    print("The backup can be restored. What was restored for this check has been removed.")
    return OK


def _print(restored: Restored) -> None:
    manifest, audit = restored.manifest, restored.audit
    rows, tables = count_of(manifest.rows, "row"), len(manifest.tables)
    print(
        f"Restored the backup of {manifest.created_at:%Y-%m-%d %H:%M} UTC into {settings.DATA}: "
        f"{rows} in {tables} tables, {count_of(len(manifest.spool_names()), 'uploaded file')}; "
        "all of them match the backup."
    )
    for name in restored.lost_keys:
        print(f"The key {name} is lost; a new one is created.")
    if audit is None:
        print("WARNING: the audit log can't be verified without its key", file=sys.stderr)
    elif audit.broken:
        count = count_of(len(audit.broken), "seal")
        print(
            f"WARNING: {count} of the audit log {'does' if len(audit.broken) == 1 else 'do'} not "
            "match; run `rollbook audit check`",
            file=sys.stderr,
        )
    if manifest.missing_files:
        count = count_of(len(manifest.missing_files), "uploaded file")
        print(f"WARNING: {count} were missing when the backup was made", file=sys.stderr)
    print(AFTERWARD)
