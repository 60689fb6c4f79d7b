"""Registers ``rollbook migrate``."""

from argparse import Namespace

from rollbook.cli.registration import Bootstrap, Commands, add_command


def register(commands: Commands) -> None:
    """Register the command."""
    command = add_command(
        commands,
        "migrate",
        _run_migrate,
        "Bring the database to this version of Rollbook.",
        "Back it up first. `rollbook serve` does the same when it starts; commands that only show "
        "or change records never do.",
        bootstrap=Bootstrap.SETTINGS,
    )
    command.add_argument("--plan", action="store_true", help="only print what would be done")


def _run_migrate(arguments: Namespace) -> int:
    from rollbook.cli.actions.migrate import migrate

    return migrate(arguments)
