"""Registers ``rollbook restore``."""

from argparse import Namespace
from pathlib import Path

from rollbook.cli.registration import Bootstrap, Commands, add_command


def register(commands: Commands) -> None:
    """Register the command."""
    command = add_command(
        commands,
        "restore",
        _run_restore,
        "Restore a backup into an empty data folder and an empty database.",
        "If it is ended before it says that it is done, nothing else starts; run it again. "
        "Afterward, emails are held until `rollbook mail release`, and expired data is kept until "
        "`rollbook retention resume`.",
        bootstrap=Bootstrap.READ_SETTINGS_AS_OWNER,
    )
    command.add_argument(
        "archive", metavar="FILE", type=Path, help="archive that `rollbook backup` wrote"
    )
    command.add_argument(
        "--check",
        action="store_true",
        help="restore in a scratch place, verify everything, and remove it again",
    )
    command.add_argument(
        "--keys",
        type=Path,
        metavar="DIR",
        help="folder with your copy of the keys, if they are not in the archive or in the data "
        "folder",
    )
    command.add_argument(
        "--without-keys",
        action="store_true",
        help="restore although keys are lost; the error without it says what is lost with them",
    )


def _run_restore(arguments: Namespace) -> int:
    from rollbook.cli.actions.restore import restore

    return restore(arguments)
