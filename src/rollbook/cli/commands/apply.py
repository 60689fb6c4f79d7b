"""Registers ``rollbook apply``."""

from argparse import Namespace
from pathlib import Path

from rollbook.cli.registration import Bootstrap, Commands, add_command, add_json_option


def register(commands: Commands) -> None:
    """Register the command."""
    command = add_command(
        commands,
        "apply",
        _run_apply,
        "Set up districts, schools, staff and settings as a TOML file describes them.",
        "The file is described in docs/districts-file.md. What it doesn't mention stays as it is: "
        "nothing is ever removed. Applying it again changes nothing. If anything in it is wrong, "
        "all problems are printed and nothing is changed. New staff members are emailed an "
        "invitation.",
        bootstrap=Bootstrap.NEW_DATABASE,
    )
    command.add_argument("file", type=Path, metavar="FILE", help="such as districts.toml")
    # A plan is made with an existing database only; nothing is created.
    command.add_argument(
        "--plan",
        dest="bootstrap",
        action="store_const",
        const=Bootstrap.DATABASE,
        help="print what would change, and change nothing",
    )
    add_json_option(command)


def _run_apply(arguments: Namespace) -> int:
    from rollbook.cli.actions.apply import apply

    return apply(arguments)
