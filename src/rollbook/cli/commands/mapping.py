"""Registers ``rollbook mapping``."""

from argparse import Namespace
from pathlib import Path

from rollbook.cli.argument_types import count
from rollbook.cli.registration import (
    Commands,
    add_command,
    add_command_group,
    add_district_argument,
    add_json_option,
)

_NAME_HELP = "name of the column mapping"


def register(commands: Commands) -> None:
    """Register ``mapping list``, ``show``, ``save``, ``remove`` and ``propose``."""
    group = add_command_group(
        commands, "mapping", "List, show, save, remove and propose column mappings."
    )
    command = add_command(
        group,
        "list",
        _run_list,
        "List a district's column mappings.",
        "Each applies to the files whose header has its columns.",
    )
    add_district_argument(command)
    add_json_option(command)
    command = add_command(
        group,
        "show",
        _run_show,
        "Show a column mapping.",
        "With --json, the mapping is printed as `rollbook mapping save` reads it. The document is "
        "described in docs/column-mapping.md.",
    )
    add_district_argument(command)
    command.add_argument("name", metavar="NAME", help=_NAME_HELP)
    command.add_argument(
        "--version", metavar="NUMBER", type=count, help="an older version (default: the latest)"
    )
    add_json_option(command)
    _register_changes(group)


def _register_changes(group: Commands) -> None:
    command = add_command(
        group,
        "save",
        _run_save,
        "Save a new version of a column mapping.",
        "The name is in the document. The district managers are emailed. The next file is checked "
        "completely, because each of its rows may mean something else.",
    )
    add_district_argument(command)
    command.add_argument(
        "file", type=Path, metavar="MAPPING", help="the mapping as JSON, such as powerschool.json"
    )
    command = add_command(
        group,
        "remove",
        _run_remove,
        "Remove a column mapping, so that it applies to no file anymore.",
        "Its versions are kept, because updates name them.",
    )
    add_district_argument(command)
    command.add_argument("name", metavar="NAME", help=_NAME_HELP)
    command = add_command(
        group,
        "propose",
        _run_propose,
        "Propose a column mapping for a student file, as JSON.",
        "Reads the header and the first rows, and compares them with known systems and with the "
        "district's students. Nothing is saved: write the output to a file, check it with "
        "`rollbook file check --map`, and save it.",
    )
    add_district_argument(command)
    command.add_argument(
        "file", type=Path, metavar="FILE", help="student file, such as students.csv"
    )


def _run_list(arguments: Namespace) -> int:
    from rollbook.cli.actions.mapping import list_mappings

    return list_mappings(arguments)


def _run_show(arguments: Namespace) -> int:
    from rollbook.cli.actions.mapping import show

    return show(arguments)


def _run_save(arguments: Namespace) -> int:
    from rollbook.cli.actions.mapping import save

    return save(arguments)


def _run_remove(arguments: Namespace) -> int:
    from rollbook.cli.actions.mapping import remove

    return remove(arguments)


def _run_propose(arguments: Namespace) -> int:
    from rollbook.cli.actions.mapping import propose

    return propose(arguments)
