"""The argument parser of the whole command."""

from argparse import SUPPRESS, Action, ArgumentParser, Namespace
from typing import Any

from rollbook.cli.command_parser import CommandParser
from rollbook.cli.commands import COMMANDS
from rollbook.cli.registration import help_layout

_DESCRIPTION = """\
Keeps a school district's student records in step with its student information system.

Rollbook stores everything in one data folder: database, uploaded files, keys, certificate, mail.
Name it with --data or the environment variable ROLLBOOK_DATA; the default is `data` in the current
folder."""


class _PrintVersion(Action):
    """Prints the version; only then is git asked for the commit of a clone."""

    def __init__(self, option_strings: list[str], dest: str, help: str) -> None:  # noqa: A002
        super().__init__(option_strings, SUPPRESS, nargs=0, help=help)

    def __call__(self, parser: ArgumentParser, namespace: Namespace, *others: Any) -> None:
        from rollbook.version import describe

        print(f"rollbook {describe()}")
        parser.exit()


def build_parser() -> CommandParser:
    """Build the parser, with every command registered."""
    parser = CommandParser(prog="rollbook", description=_DESCRIPTION, **help_layout())
    parser.add_argument("--version", action=_PrintVersion, help="print version and commit")
    commands = parser.add_subparsers(metavar="COMMAND", title="commands")
    for command in COMMANDS:
        command.register(commands)
    return parser
