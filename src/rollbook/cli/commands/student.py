"""Registers ``rollbook student``."""

from argparse import BooleanOptionalAction, Namespace
from pathlib import Path

from rollbook.cli.registration import (
    Commands,
    add_all_option,
    add_certificates_option,
    add_command,
    add_command_group,
    add_district_argument,
    add_file_options,
    add_json_option,
)


def register(commands: Commands) -> None:
    """Register ``student check``, ``load``, ``export``, ``show`` and ``erase``."""
    group = add_command_group(commands, "student", "Check, load, export, show and erase students.")
    _register_check(group)
    _register_load(group)
    _register_export(group)
    _register_show(group)
    _register_erase(group)


def _register_check(group: Commands) -> None:
    command = add_command(
        group,
        "check",
        _run_check,
        "Check a student file against a district's students, and change nothing.",
        "Starts a dry run: the file is checked as by an update, up to the last step. It prints "
        "what would change and which limits that exceeds; `update approve` applies exactly that.",
    )
    add_district_argument(command)
    add_file_options(command, "update")
    command.add_argument(
        "--wait",
        action=BooleanOptionalAction,
        default=True,
        help="wait for the result (default), or only start the dry run",
    )
    add_all_option(command)
    add_json_option(command)


def _register_load(group: Commands) -> None:
    command = add_command(
        group,
        "load",
        _run_load,
        "Load a student file: update existing students and add new ones.",
        "Starts an update with mode=add, or another mode that the district allows. If a server "
        "is running, its worker processes the update; "
        "otherwise this command does. If it is interrupted, run the same command again or start "
        "the server to continue.",
    )
    add_district_argument(command)
    add_file_options(command, "add")
    add_all_option(command)
    add_json_option(command)


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


def _register_erase(group: Commands) -> None:
    command = add_command(
        group,
        "erase",
        _run_erase,
        "Erase a student with the whole history, and issue a certificate of destruction.",
        "Removes the record, its history, links and group memberships, and what updates say about "
        "the student. Uploaded files can't be edited: they are named, or removed with --files. A "
        "later file with the student adds a new one, so remove the student from the SIS first.",
    )
    add_district_argument(command)
    command.add_argument(
        "student_id",
        metavar="STUDENT_ID",
        help="exactly as in the student file; of a student without one, the username",
    )
    command.add_argument(
        "--files",
        action="store_true",
        help="also remove the uploaded files that contain the student, for all students in them",
    )
    command.add_argument(
        "--yes", action="store_true", help="don't ask to type the STUDENT_ID again"
    )
    add_certificates_option(command)


def _run_erase(arguments: Namespace) -> int:
    from rollbook.cli.actions.student import erase

    return erase(arguments)


def _run_check(arguments: Namespace) -> int:
    from rollbook.cli.actions.student import check

    return check(arguments)


def _run_load(arguments: Namespace) -> int:
    from rollbook.cli.actions.student import load

    return load(arguments)


def _run_export(arguments: Namespace) -> int:
    from rollbook.cli.actions.student import export

    return export(arguments)


def _run_show(arguments: Namespace) -> int:
    from rollbook.cli.actions.student import show

    return show(arguments)
