"""Registers ``rollbook school``."""

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
    """Register ``school list`` and ``school load``."""
    group = add_command_group(commands, "school", "Manage the schools of a district.")
    listing = add_command(
        group,
        "list",
        _run_list,
        "List the schools of a district with the numbers of their students.",
    )
    add_district_argument(listing)
    add_json_option(listing)
    command = add_command(
        group,
        "load",
        _run_load,
        "Add and rename schools from a CSV file.",
        "The file must be UTF-8 and have the columns SCHOOL_ID and NAME. Schools that are not in "
        "the file stay as they are. If the file has any errors, all of them are reported and "
        "nothing is loaded.",
    )
    add_district_argument(command)
    command.add_argument("file", type=Path, metavar="FILE", help="CSV file, such as schools.csv")


def _run_list(arguments: Namespace) -> int:
    from rollbook.cli.actions.school import list_schools

    return list_schools(arguments)


def _run_load(arguments: Namespace) -> int:
    from rollbook.cli.actions.school import load

    return load(arguments)
