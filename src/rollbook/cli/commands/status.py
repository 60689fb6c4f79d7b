"""Registers ``rollbook status``."""

from argparse import Namespace

from rollbook.cli.registration import Commands, add_command, add_json_option


def register(commands: Commands) -> None:
    """Register the command."""
    command = add_command(
        commands,
        "status",
        _run_status,
        "Show all districts: the last update, the last good file, and problems.",
        "The last good file is the last one that was processed to its end. A district without one "
        "for 36 hours has a problem. Updates that wait are those in the queue.",
    )
    command.add_argument("--problems", action="store_true", help="only districts with problems")
    add_json_option(command)


def _run_status(arguments: Namespace) -> int:
    from rollbook.cli.actions.status import status

    return status(arguments)
