"""Helpers with which a command module registers its command; nothing here imports Django."""

import textwrap
from argparse import (
    SUPPRESS,
    ArgumentParser,
    Namespace,
    RawDescriptionHelpFormatter,
    _ActionsContainer,
    _SubParsersAction,
)
from collections.abc import Callable
from enum import Enum, auto
from pathlib import Path
from typing import Any, TypeAlias

Action: TypeAlias = Callable[[Namespace], int]
"""Does what a command is for, given its parsed arguments, and returns the exit code."""

Commands: TypeAlias = "_SubParsersAction[ArgumentParser]"
"""What ``add_subparsers()`` returns; argparse has no public name for it."""

EXIT_CODES = """\
exit codes:
  0    success
  1    failed; the line on stderr that starts with ERROR, or the result, says why
  2    usage error; nothing was done
  3    done, but some rows of the file were rejected, such as with `student load`
  4    a newer version of Rollbook has migrated the database; install that version, then start it
  130  interrupted with Ctrl-C
"""
_DESCRIPTION_WIDTH = 100


class Bootstrap(Enum):
    """What has to be ready before a command's action is imported and run.

    ``rollbook.cli.bootstrap`` has a function for each, except for NONE.
    """

    NONE = auto()
    READ_SETTINGS = auto()
    SETTINGS = auto()
    READ_SETTINGS_AS_OWNER = auto()
    SETTINGS_AS_OWNER = auto()
    MOVE = auto()
    NEW_DATABASE = auto()
    DATABASE = auto()
    DATABASE_WITHOUT_KEYS = auto()
    OPERATOR_PAGES = auto()


def help_layout() -> dict[str, Any]:
    """Return the parser options that all commands share."""
    return {
        "epilog": EXIT_CODES,
        "formatter_class": RawDescriptionHelpFormatter,
        "allow_abbrev": False,
    }


def add_command_group(commands: Commands, name: str, summary: str) -> Commands:
    """Add a command that only has subcommands, such as ``rollbook district``."""
    group = commands.add_parser(
        name, description=summary, help=_as_list_entry(summary), **help_layout()
    )
    return group.add_subparsers(metavar="COMMAND", title="commands", required=True)


def add_command(
    commands: Commands,
    name: str,
    action: Action,
    summary: str,
    *paragraphs: str,
    bootstrap: Bootstrap = Bootstrap.DATABASE,
) -> ArgumentParser:
    """Add a command that does something, such as ``rollbook district add``.

    Args:
        commands: The command's siblings.
        name: The word on the command line.
        action: What to run after the bootstrap.
        summary: One sentence; it is shown in lists of commands, too.
        paragraphs: The rest of the description.
        bootstrap: What has to be ready first. With any but NONE the command takes ``--data``.
    """
    description = "\n\n".join(
        textwrap.fill(text, _DESCRIPTION_WIDTH) for text in (summary, *paragraphs)
    )
    command = commands.add_parser(
        name, description=description, help=_as_list_entry(summary), **help_layout()
    )
    command.set_defaults(
        action=action, bootstrap=bootstrap, command_name=command.prog, parser=command
    )
    if bootstrap is not Bootstrap.NONE:
        add_data_option(command)
    return command


def _as_list_entry(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:].rstrip(".")


def add_data_option(command: ArgumentParser) -> None:
    """Add ``--data DIR``."""
    command.add_argument("--data", type=Path, metavar="DIR", default=SUPPRESS, help="data folder")


def add_district_argument(command: ArgumentParser) -> None:
    """Add the positional argument DISTRICT."""
    command.add_argument(
        "district", metavar="DISTRICT", help="short name of the district, such as maple-usd"
    )


def add_json_option(command: _ActionsContainer) -> None:
    """Add ``--json``."""
    command.add_argument("--json", action="store_true", help="print the result as JSON")


MODES = ("update", "add", "sync")


def add_student_file_argument(command: ArgumentParser) -> None:
    """Add the student file."""
    command.add_argument(
        "file",
        type=Path,
        metavar="FILE",
        help="student file, such as students.csv or students.xlsx",
    )


def add_file_options(command: ArgumentParser, mode: str) -> None:
    """Add the student file and how it is to be used, with the mode by default."""
    add_student_file_argument(command)
    command.add_argument(
        "--mode",
        choices=MODES,
        default=mode,
        help=f"as with the upload commands (default: {mode})",
    )
    command.add_argument(
        "--header-map",
        metavar="NAME",
        default="",
        help="read the file through this column mapping, or through none (default: the district's "
        "mapping whose columns the file has)",
    )


def add_all_option(command: _ActionsContainer) -> None:
    """Add ``--all``."""
    command.add_argument(
        "--all", action="store_true", help="list each problem, instead of those of a kind together"
    )


def add_certificates_option(command: ArgumentParser) -> None:
    """Add ``--certificates DIR``."""
    command.add_argument(
        "--certificates",
        type=Path,
        metavar="DIR",
        help="folder to save the certificate in (default: certificates in the data folder)",
    )
