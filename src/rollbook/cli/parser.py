"""The argument parser of the whole command."""

from argparse import ArgumentParser
from importlib.metadata import version

from rollbook.cli.commands import COMMANDS
from rollbook.cli.registration import help_layout

_DESCRIPTION = """\
Keeps a school district's student records in step with its student information system.

Rollbook stores everything in one data folder: database, uploaded files, keys, certificate, mail.
Name it with --data or the environment variable ROLLBOOK_DATA; the default is `data` in the current
folder."""


def build_parser() -> ArgumentParser:
    """Build the parser, with every command registered."""
    parser = ArgumentParser(prog="rollbook", description=_DESCRIPTION, **help_layout())
    parser.add_argument("--version", action="version", version=f"rollbook {version('rollbook')}")
    commands = parser.add_subparsers(metavar="COMMAND", title="commands")
    for command in COMMANDS:
        command.register(commands)
    return parser
