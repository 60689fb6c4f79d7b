"""Registers ``rollbook adopt``."""

from argparse import Namespace

from rollbook.cli.registration import Bootstrap, Commands, add_command


def register(commands: Commands) -> None:
    """Register the command."""
    add_command(
        commands,
        "adopt",
        _run_adopt,
        "Use the data folder with the database from now on.",
        "The data folder and the database contain the same ID. Rollbook doesn't start if they "
        "differ, because with a wrong database it would remove uploaded files. Run this only if "
        "you have changed one of them on purpose. If the audit log is older than the data folder "
        "knows, for example because a backup was restored, that is accepted and recorded, too.",
        bootstrap=Bootstrap.SETTINGS_AS_OWNER,
    )


def _run_adopt(arguments: Namespace) -> int:
    from rollbook.cli.actions.adopt import adopt

    return adopt(arguments)
