"""Registers ``rollbook backup``."""

from argparse import Namespace
from pathlib import Path

from rollbook.cli import argument_types
from rollbook.cli.registration import Bootstrap, Commands, add_command


def register(commands: Commands) -> None:
    """Register the command."""
    command = add_command(
        commands,
        "backup",
        _run_backup,
        "Back up the database and the uploaded files while Rollbook is in use.",
        "Writes one archive. It has its name only once it is complete and on the disk. The keys, "
        "without which a backup is of little use, belong in another place; see docs/backup.md. On "
        "PostgreSQL this needs `pg_dump` of the server's version or later.",
        bootstrap=Bootstrap.READ_SETTINGS,
    )
    command.add_argument(
        "target",
        metavar="DIR|FILE",
        type=Path,
        help="folder for a new archive with the time in its name; or the archive, whose name ends "
        "with .tar or .tar.gz",
    )
    command.add_argument(
        "--keep",
        type=argument_types.keep,
        metavar="N",
        help="keep only the newest N archives in DIR that Rollbook has named and that are of this "
        "installation",
    )
    command.add_argument(
        "--with-keys",
        action="store_true",
        help="include the keys; anyone who has the archive can then use everything in it",
    )


def _run_backup(arguments: Namespace) -> int:
    from rollbook.cli.actions.backup import backup

    return backup(arguments)
