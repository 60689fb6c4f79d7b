"""Registers ``rollbook move``."""

from argparse import Namespace
from pathlib import Path

from rollbook.cli.registration import Bootstrap, Commands, add_command


def register(commands: Commands) -> None:
    """Register the command."""
    command = add_command(
        commands,
        "move",
        _run_move,
        "Move everything from SQLite to an empty PostgreSQL database.",
        "Stop the server first. All rows and files are compared in the end. If the command is "
        "ended before that, run it again; until then, the SQLite database is unchanged.",
        bootstrap=Bootstrap.MOVE,
    )
    target = command.add_mutually_exclusive_group(required=True)
    target.add_argument(
        "--to", metavar="URL", help="the database, postgres://user:password@host:5432/database"
    )
    target.add_argument(
        "--to-file",
        type=Path,
        metavar="FILE",
        help="file with that address, so that the password isn't on the command line",
    )


def _run_move(arguments: Namespace) -> int:
    from rollbook.cli.actions.move import move

    return move(arguments)
