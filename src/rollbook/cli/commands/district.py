"""Registers ``rollbook district``."""

from argparse import Namespace

from rollbook.cli.registration import (
    Bootstrap,
    Commands,
    add_command,
    add_command_group,
    add_district_argument,
)


def register(commands: Commands) -> None:
    """Register ``district add`` and ``district set``."""
    group = add_command_group(commands, "district", "Manage districts.")
    _register_add(group)
    _register_set(group)


def _register_add(group: Commands) -> None:
    command = add_command(
        group,
        "add",
        _run_add,
        "Add a district.",
        "Other commands identify the district by a short name made from its name: Maple USD "
        "becomes maple-usd.",
        bootstrap=Bootstrap.NEW_DATABASE,
    )
    command.add_argument("name", metavar="NAME", help='name of the district, such as "Maple USD"')
    command.add_argument(
        "--time-zone",
        metavar="ZONE",
        default="UTC",
        help="time zone, such as America/Chicago (default: UTC)",
    )


def _register_set(group: Commands) -> None:
    command = add_command(group, "set", _run_set, "Change a district's settings.")
    add_district_argument(command)
    command.add_argument("--time-zone", metavar="ZONE", help="time zone, such as America/Chicago")
    command.add_argument(
        "--encoding",
        metavar="NAME",
        help="encoding of student files that don't specify one: utf-8, cp1252 ...",
    )
    command.add_argument(
        "--date-order",
        choices=("mdy", "dmy"),
        help="order in dates of student files: month first (mdy) or day first (dmy)",
    )
    command.add_argument(
        "--grade-codes",
        metavar="CODES",
        help='the SIS\'s own codes for grades, such as "-1 = PK, 14 = 12", replacing the current '
        'ones; "" removes all',
    )
    command.add_argument(
        "--reactivate-students",
        choices=("yes", "no"),
        help="whether inactive students who appear in a file become active",
    )
    command.add_argument(
        "--notify",
        metavar="EMAIL",
        nargs="*",
        help="staff members who receive the results of every update, replacing the current list; "
        "without an EMAIL, the list becomes empty",
    )


def _run_add(arguments: Namespace) -> int:
    from rollbook.cli.actions.district import add

    return add(arguments)


def _run_set(arguments: Namespace) -> int:
    from rollbook.cli.actions.district import set_settings

    return set_settings(arguments)
