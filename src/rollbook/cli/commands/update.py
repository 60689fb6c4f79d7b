"""Registers ``rollbook update``."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable

from rollbook.cli.registration import (
    Commands,
    add_all_option,
    add_command,
    add_command_group,
    add_district_argument,
    add_json_option,
)

EXPORT_OPTIONS = {
    "--rejected": "rejected rows",
    "--not-processed": "rows not processed",
    "--changes": "changes",
    "--missing": "missing students",
}
"""The files of an update: option to name."""


def register(commands: Commands) -> None:
    """Register ``update list``, ``show``, ``approve`` and ``discard``."""
    group = add_command_group(commands, "update", "Show updates, and decide about their plans.")
    list_command = add_command(group, "list", _run_list, "List updates, newest first.")
    add_district_argument(list_command)
    add_json_option(list_command)
    _register_show(group)
    _register_decision(
        group,
        "approve",
        _run_approve,
        "Approve the plan of an update that is held or checked.",
        "The plan is applied as soon as no other update of the district is running. `update show` "
        "prints the plan and its digest. Rows whose students have changed since are rejected.",
    ).add_argument(
        "--without",
        metavar="SCHOOL_ID",
        nargs="+",
        help="leave out the rows of these schools",
    )
    _register_decision(
        group,
        "discard",
        _run_discard,
        "Discard the plan of an update that is held or checked.",
        "Nothing of it is applied.",
    )


def _register_decision(
    group: Commands, name: str, run: Callable[[Namespace], int], *texts: str
) -> ArgumentParser:
    command = add_command(group, name, run, *texts)
    add_district_argument(command)
    command.add_argument("number", metavar="NUMBER", type=int, help="number of the update")
    command.add_argument(
        "--plan", metavar="DIGEST", required=True, help="digest of the plan that was reviewed"
    )
    command.add_argument("--note", default="", metavar="TEXT", help="why, for the record")
    add_json_option(command)
    return command


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
        "value. With --missing: the students whom a file in full sync doesn't name, in how many "
        "files, and what becomes of them.",
    )
    add_district_argument(command)
    command.add_argument(
        "number",
        metavar="NUMBER",
        type=int,
        nargs="?",
        help="number of the update (default: the running update, or else the latest)",
    )
    add_all_option(command)
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


def _run_approve(arguments: Namespace) -> int:
    from rollbook.cli.actions.update import approve

    return approve(arguments)


def _run_discard(arguments: Namespace) -> int:
    from rollbook.cli.actions.update import discard

    return discard(arguments)
