"""Registers ``rollbook file``."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from rollbook.cli.registration import (
    Bootstrap,
    Commands,
    add_all_option,
    add_command,
    add_command_group,
    add_json_option,
    add_student_file_argument,
)


def register(commands: Commands) -> None:
    """Register ``file check``."""
    group = add_command_group(commands, "file", "Check student files before uploading them.")
    command = add_command(
        group,
        "check",
        _run_check,
        "Check a student file without a server or data folder.",
        "Applies all rules for the file and its values. Whether students and schools exist, and "
        "whether rows conflict with each other or with other students, is checked with --against: "
        "the same check as on the server, against a file that `rollbook student export` has "
        "written. It prints what would change and which limits that exceeds, as `student check` "
        "does, and leaves nothing behind.",
        bootstrap=Bootstrap.NONE,
    )
    add_student_file_argument(command)
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
    _add_district_options(command)
    add_all_option(command)
    add_json_option(command)


def _add_district_options(command: ArgumentParser) -> None:
    """Add the options with which the file is checked against a district's students."""
    command.add_argument(
        "--against",
        type=Path,
        metavar="EXPORT",
        help="the district's students, as `rollbook student export` writes them (default, with one "
        "of the options below: it has no students)",
    )
    command.add_argument(
        "--schools",
        type=Path,
        metavar="FILE",
        help="CSV file with the district's schools, as `rollbook school load` reads it (default: "
        "those of the students)",
    )
    command.add_argument(
        "--mode",
        choices=("update", "add", "sync"),
        help="as with the upload commands (default: update)",
    )
    command.add_argument(
        "--limits",
        type=Path,
        metavar="FILE",
        help="the district's limits, as `rollbook limits show --json` writes them (default: those "
        "of a new district)",
    )


def _run_check(arguments: Namespace) -> int:
    from rollbook.cli.actions.file import check

    return check(arguments)
