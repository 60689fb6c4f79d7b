"""Registers ``rollbook update``."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable

from rollbook.cli.registration import (
    Commands,
    add_all_option,
    add_command,
    add_command_group,
    add_district_argument,
    add_file_options,
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
    """Register ``update list``, ``show``, and the commands that start, end and decide."""
    group = add_command_group(
        commands,
        "update",
        "Start, watch, cancel, undo and show updates, and decide about their plans.",
    )
    _register_start(group)
    _register_watch(group)
    _register_cancel(group)
    _register_retry(group)
    _register_undo(group)
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


_LATEST = "the running update, or else the latest"


def _add_number(command: ArgumentParser, default: str) -> None:
    """Add the positional argument NUMBER; with a default, it may be left out."""
    text = "number of the update"
    if default:
        command.add_argument(
            "number", metavar="NUMBER", type=int, nargs="?", help=f"{text} (default: {default})"
        )
    else:
        command.add_argument("number", metavar="NUMBER", type=int, help=text)


def _add_watch_option(command: ArgumentParser) -> None:
    command.add_argument(
        "--watch", action="store_true", help="show the progress, and print the report at the end"
    )
    add_all_option(command)
    add_json_option(command)


def _register_start(group: Commands) -> None:
    command = add_command(
        group,
        "start",
        _run_start,
        "Start an update with a student file, as the upload commands do.",
        "Returns when the file has been received and its update is queued; a worker processes it. "
        "With --watch, the command waits for the end and, if no worker is running, processes the "
        "update itself.",
    )
    add_district_argument(command)
    add_file_options(command, "update")
    _add_watch_option(command)


def _register_watch(group: Commands) -> None:
    command = add_command(
        group,
        "watch",
        _run_watch,
        "Show the progress of an update until it ends, and print its report.",
        "If no worker is running, the command processes the update itself.",
    )
    add_district_argument(command)
    _add_number(command, _LATEST)
    add_all_option(command)
    add_json_option(command)


def _register_cancel(group: Commands) -> None:
    command = add_command(
        group,
        "cancel",
        _run_cancel,
        "Cancel an update; what it has applied stays.",
        "When the command returns, the update changes no more students. A plan that waits is "
        "discarded.",
    )
    add_district_argument(command)
    _add_number(command, "the running update, or else the next in the queue")
    add_json_option(command)


def _register_retry(group: Commands) -> None:
    command = add_command(
        group,
        "retry",
        _run_retry,
        "Start a new update with the file of one that was not applied completely.",
        "That is, one that was refused, canceled or discarded, or has failed. The file is read "
        "again with the current settings of the district. If a later update has completed, nothing "
        "is started, because the older file would undo its changes.",
    )
    add_district_argument(command)
    _add_number(command, "")
    _add_watch_option(command)


def _register_undo(group: Commands) -> None:
    command = add_command(
        group,
        "undo",
        _run_undo,
        "Make a plan that sets back what an update has changed.",
        "Values go back to what they were, unless something has changed them since. Students who "
        "were added are deactivated, not deleted. Old passwords can't be restored. The plan is a "
        "new update; nothing changes until `update approve` applies it. The next file from the SIS "
        "applies its values again unless they are fixed there.",
    )
    add_district_argument(command)
    _add_number(command, "")
    _add_watch_option(command)


def _register_decision(
    group: Commands, name: str, run: Callable[[Namespace], int], *texts: str
) -> ArgumentParser:
    command = add_command(group, name, run, *texts)
    add_district_argument(command)
    _add_number(command, "")
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
    _add_number(command, _LATEST)
    add_all_option(command)
    formats = command.add_mutually_exclusive_group()
    add_json_option(formats)
    for option, name in EXPORT_OPTIONS.items():
        formats.add_argument(
            option, dest="file", action="store_const", const=name, help=f"print the {name} as CSV"
        )


def _run_start(arguments: Namespace) -> int:
    from rollbook.cli.actions.update import start

    return start(arguments)


def _run_watch(arguments: Namespace) -> int:
    from rollbook.cli.actions.update import watch_update

    return watch_update(arguments)


def _run_cancel(arguments: Namespace) -> int:
    from rollbook.cli.actions.update import cancel

    return cancel(arguments)


def _run_retry(arguments: Namespace) -> int:
    from rollbook.cli.actions.update import retry

    return retry(arguments)


def _run_undo(arguments: Namespace) -> int:
    from rollbook.cli.actions.update import undo

    return undo(arguments)


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
