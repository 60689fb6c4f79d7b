"""Registers ``rollbook student``."""

from argparse import Namespace
from pathlib import Path

from rollbook.cli.registration import (
    Commands,
    add_command,
    add_command_group,
    add_district_argument,
    add_json_option,
)


def register(commands: Commands) -> None:
    """Register ``student load``, ``student export`` and ``student show``."""
    group = add_command_group(commands, "student", "Load, export and show students.")
    _register_load(group)
    _register_export(group)
    _register_show(group)


def _register_load(group: Commands) -> None:
    command = add_command(
        group,
        "load",
        _run_load,
        "Load a student file: update existing students and add new ones.",
        "Starts an update with mode=add. If a server is running, its worker processes the update; "
        "otherwise this command does. If it is interrupted, run the same command again or start "
        "the server to continue.",
    )
    add_district_argument(command)
    command.add_argument(
        "file", type=Path, metavar="FILE", help="student file, such as base.csv or base.xlsx"
    )


def _register_export(group: Commands) -> None:
    command = add_command(
        group,
        "export",
        _run_export,
        "Export all students as a student file, sorted by STUDENT_ID.",
        "The file has every column except PASSWORD and can be loaded again without changes.",
    )
    add_district_argument(command)
    command.add_argument(
        "--output", type=Path, metavar="FILE", help="write to this file instead of stdout"
    )


def _register_show(group: Commands) -> None:
    command = add_command(group, "show", _run_show, "Show a student's record and history.")
    add_district_argument(command)
    command.add_argument(
        "student_id",
        metavar="STUDENT_ID",
        help="exactly as in the student file: 00123 is not 123",
    )
    add_json_option(command)


def _run_load(arguments: Namespace) -> int:
    from rollbook.cli.actions.student import load

    return load(arguments)


def _run_export(arguments: Namespace) -> int:
    from rollbook.cli.actions.student import export

    return export(arguments)


def _run_show(arguments: Namespace) -> int:
    from rollbook.cli.actions.student import show

    return show(arguments)
