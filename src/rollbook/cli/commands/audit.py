"""Registers ``rollbook audit``."""

from argparse import Namespace
from datetime import date

from rollbook.cli.registration import (
    Commands,
    add_command,
    add_command_group,
    add_district_argument,
    add_json_option,
)


def register(commands: Commands) -> None:
    """Register ``audit`` and its subcommands."""
    group = add_command_group(
        commands, "audit", "Verify the audit log, and list who saw a student."
    )
    command = add_command(
        group,
        "check",
        _run_check,
        "Check that the audit log has not been tampered with.",
        "Every event is sealed shortly after it is recorded, with a key that is not in the "
        "database. A seal that does not match means that an event was changed, added or removed "
        "without Rollbook. The newest seal is also kept in the data folder, and must still exist.",
    )
    command.add_argument(
        "--expect",
        metavar="NUMBER:DIGEST",
        help="a seal that must exist, from the daily email to the operator or an earlier check",
    )
    _register_who_saw(group)


def _register_who_saw(group: Commands) -> None:
    command = add_command(
        group,
        "who-saw",
        _run_who_saw,
        "List who saw a student, and when.",
        "Every page, download and command that showed the student's name or data is listed, the "
        "latest first, for as long as the district keeps its audit. A student who was erased is "
        "known only by the number that `rollbook student erase` printed.",
    )
    add_district_argument(command)
    student = command.add_mutually_exclusive_group(required=True)
    student.add_argument(
        "--student", metavar="ID", help="STUDENT_ID, or the username of a student without one"
    )
    student.add_argument(
        "--key", metavar="NUMBER", type=int, help="number of the student, who may be erased"
    )
    command.add_argument(
        "--since", metavar="DATE", type=date.fromisoformat, help="from this day, as 2026-09-01"
    )
    command.add_argument(
        "--until", metavar="DATE", type=date.fromisoformat, help="until the end of this day"
    )
    add_json_option(command)


def _run_check(arguments: Namespace) -> int:
    from rollbook.cli.actions.audit import check

    return check(arguments)


def _run_who_saw(arguments: Namespace) -> int:
    from rollbook.cli.actions.audit import who_saw

    return who_saw(arguments)
