"""Registers ``rollbook retention``."""

from argparse import Namespace

from rollbook.cli.registration import Commands, add_command, add_command_group


def register(commands: Commands) -> None:
    """Register ``retention show`` and ``retention resume``."""
    group = add_command_group(commands, "retention", "Show and resume the removal of expired data.")
    add_command(
        group,
        "show",
        _run_show,
        "Show whether expired data is being removed.",
        "Retention stops if a clock jumps by more than 48 hours, because nothing that is removed "
        "can be restored.",
    )
    add_command(
        group,
        "resume",
        _run_resume,
        "Resume the removal of expired data after it was stopped.",
        "Check the clocks of all machines first. Nothing is removed before the second run, an hour "
        "later.",
    )


def _run_show(arguments: Namespace) -> int:
    from rollbook.cli.actions.retention import show

    return show(arguments)


def _run_resume(arguments: Namespace) -> int:
    from rollbook.cli.actions.retention import resume

    return resume(arguments)
