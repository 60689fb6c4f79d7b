"""Registers ``rollbook limits``."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from rollbook.cli.argument_types import count
from rollbook.cli.registration import (
    Commands,
    add_command,
    add_command_group,
    add_district_argument,
    add_json_option,
)

ALL = "all"


def register(commands: Commands) -> None:
    """Register ``limits show``, ``set``, ``try`` and ``expect``."""
    group = add_command_group(
        commands, "limits", "Show, set and try how much an update may change by itself."
    )
    command = add_command(
        group,
        "show",
        _run_show,
        "Show a district's limits, and the changes that are expected now.",
        "With --json, the limits are printed as `rollbook limits set` reads them. The file is "
        "described in docs/limits.md.",
    )
    add_district_argument(command)
    command.add_argument(
        "--version", metavar="NUMBER", type=count, help="an older version (default: the latest)"
    )
    add_json_option(command)
    _register_set(group)
    _register_expect(group)


def _register_set(group: Commands) -> None:
    command = add_command(
        group,
        "set",
        _run_set,
        "Save a new version of a district's limits.",
        "What the file leaves out is as by default. The district managers are emailed.",
    )
    add_district_argument(command)
    _add_file_option(command, is_required=True)
    command = add_command(
        group,
        "try",
        _run_try,
        "Show which updates of the last 400 days limits would have held, and why.",
        "Nothing is saved. The updates themselves aren't needed, only the numbers that are kept of "
        "each.",
    )
    add_district_argument(command)
    _add_file_option(command, is_required=False)
    add_json_option(command)


def _register_expect(group: Commands) -> None:
    command = add_command(
        group,
        "expect",
        _run_expect,
        "Expect changes for a while, end that, or list what is expected.",
        "Expected columns may change for everyone without exceeding a limit, for one update or up "
        "to seven days. The district managers are emailed. Without an option, what is expected now "
        "is listed. Example: rollbook limits expect maple-usd --columns GRADE,SCHOOL_ID "
        "--until 2027-07-02",
    )
    add_district_argument(command)
    command.add_argument(
        "--columns",
        metavar="NAMES",
        help="columns that may change for everyone, separated by commas; STUDENT_ADDED stands for "
        "new students",
    )
    end = command.add_mutually_exclusive_group()
    end.add_argument(
        "--until",
        metavar="DATETIME",
        help='when it ends, in the district\'s time zone: "2027-07-02 18:00", or 2027-07-02 for '
        "the end of that day",
    )
    end.add_argument(
        "--one-update", action="store_true", help="it ends with the next update, or after 7 days"
    )
    end.add_argument(
        "--end",
        metavar="NUMBER",
        nargs="?",
        const=ALL,
        help="end the expectation with this number, or all of them",
    )
    add_json_option(command)


def _add_file_option(command: ArgumentParser, *, is_required: bool) -> None:
    default = "" if is_required else " (default: the district's limits)"
    command.add_argument(
        "--file",
        type=Path,
        metavar="FILE",
        required=is_required,
        help=f"the limits as JSON, such as limits.json{default}",
    )


def _run_show(arguments: Namespace) -> int:
    from rollbook.cli.actions.limits import show

    return show(arguments)


def _run_set(arguments: Namespace) -> int:
    from rollbook.cli.actions.limits import set_limits

    return set_limits(arguments)


def _run_try(arguments: Namespace) -> int:
    from rollbook.cli.actions.limits import try_limits

    return try_limits(arguments)


def _run_expect(arguments: Namespace) -> int:
    from rollbook.cli.actions.limits import expect

    return expect(arguments)
