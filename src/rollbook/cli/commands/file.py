"""Registers ``rollbook file``."""

from argparse import Namespace
from pathlib import Path

from rollbook.cli.registration import (
    Bootstrap,
    Commands,
    add_command,
    add_command_group,
    add_json_option,
)


def register(commands: Commands) -> None:
    """Register ``file check``."""
    group = add_command_group(commands, "file", "Check student files before uploading them.")
    command = add_command(
        group,
        "check",
        _run_check,
        "Check a student file without a server or data folder.",
        "Applies all rules for the file and its values. Only an update can check whether students "
        "and schools exist, and whether rows conflict with each other or with other students.",
        bootstrap=Bootstrap.NONE,
    )
    command.add_argument(
        "file",
        type=Path,
        metavar="FILE",
        help="student file, such as students.csv or students.xlsx",
    )
    command.add_argument(
        "--encoding",
        metavar="NAME",
        default="utf-8",
        help="encoding in the district's settings (default: utf-8)",
    )
    command.add_argument(
        "--date-order",
        choices=("mdy", "dmy"),
        default="mdy",
        help="date order in the district's settings: month first (mdy) or day first (dmy) "
        "(default: mdy)",
    )
    command.add_argument(
        "--map",
        type=Path,
        metavar="MAPPING",
        help="read the file through the column mapping in this JSON file; see "
        "docs/column-mapping.md",
    )
    add_json_option(command)


def _run_check(arguments: Namespace) -> int:
    from rollbook.cli.actions.file import check

    return check(arguments)
