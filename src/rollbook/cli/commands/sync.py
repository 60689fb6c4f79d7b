"""Registers ``rollbook sync``."""

from argparse import Namespace

from rollbook.cli.registration import (
    Commands,
    add_command,
    add_command_group,
    add_district_argument,
    add_json_option,
)


def register(commands: Commands) -> None:
    """Register ``sync show`` and ``set``."""
    group = add_command_group(
        commands, "sync", "Show and set who may use full sync and other modes in a district."
    )
    command = add_command(
        group,
        "show",
        _run_show,
        "Show which modes may be used, and what the last file would have done in full sync.",
    )
    add_district_argument(command)
    add_json_option(command)
    command = add_command(
        group,
        "set",
        _run_set,
        "Set which modes may be used, and when missing students are deactivated.",
        "Full sync deactivates students whom several files don't name, so turn it on only where "
        "files contain all students. Example: "
        "rollbook sync set maple-usd --allow scripts=update,add,sync",
    )
    add_district_argument(command)
    command.add_argument(
        "--allow",
        metavar="WHERE=MODES",
        action="append",
        default=[],
        help="scripts, pages or cli, and the modes they may use, such as add,sync or none",
    )
    command.add_argument(
        "--files",
        type=int,
        metavar="COUNT",
        help="files without a student, on as many days, after which the student is deactivated",
    )
    command.add_argument(
        "--days",
        type=int,
        metavar="COUNT",
        help="days without a student after which the student is deactivated",
    )


def _run_show(arguments: Namespace) -> int:
    from rollbook.cli.actions.sync import show

    return show(arguments)


def _run_set(arguments: Namespace) -> int:
    from rollbook.cli.actions.sync import set_modes

    return set_modes(arguments)
