"""Registers ``rollbook update``."""

from argparse import Namespace

from rollbook.cli.registration import (
    Commands,
    add_command,
    add_command_group,
    add_district_argument,
    add_json_option,
)

EXPORT_OPTIONS = {
    "--rejected": "rejected rows",
    "--not-processed": "rows not processed",
    "--changes": "changes",
}
"""The files of an update: option to name."""


def register(commands: Commands) -> None:
    """Register ``update list`` and ``update show``."""
    group = add_command_group(commands, "update", "Show updates and their results.")
    list_command = add_command(group, "list", _run_list, "List updates, newest first.")
    add_district_argument(list_command)
    add_json_option(list_command)
    _register_show(group)


def _register_show(group: Commands) -> None:
    command = add_command(
        group,
        "show",
        _run_show,
        "Show the result of an update.",
        "With --rejected: the rejected rows as a student file, as they were sent but without "
        "passwords, plus the columns _LINE_OF_UPDATE_17, _CODE and _MESSAGE, which say where and "
        "what the problem is. Fix the rows and upload the file as it is; Rollbook recognizes that "
        "the new update corrects this one.",
        "With --not-processed: in the same form, the rows that were not processed because the "
        "update was canceled or failed. With --changes: every changed field with its old and new "
        "value.",
    )
    add_district_argument(command)
    command.add_argument(
        "number",
        metavar="NUMBER",
        type=int,
        nargs="?",
        help="number of the update (default: the running update, or else the latest)",
    )
    formats = command.add_mutually_exclusive_group()
    add_json_option(formats)
    for option, name in EXPORT_OPTIONS.items():
        formats.add_argument(
            option, dest="file", action="store_const", const=name, help=f"print the {name} as CSV"
        )


def _run_list(arguments: Namespace) -> int:
    from rollbook.cli.actions.update import list_updates

    return list_updates(arguments)


def _run_show(arguments: Namespace) -> int:
    from rollbook.cli.actions.update import show

    return show(arguments)
