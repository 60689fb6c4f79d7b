"""The argument parser of the whole command."""

from argparse import SUPPRESS, Action, ArgumentParser, Namespace
from typing import Any

from rollbook.cli import command_exit_codes
from rollbook.cli.command_parser import CommandParser, has_option, iter_commands
from rollbook.cli.commands import COMMANDS
from rollbook.cli.examples import EXAMPLES
from rollbook.cli.registration import add_json_option, help_layout

_DESCRIPTION = """\
Keeps a school district's student records in step with its student information system.

Rollbook stores everything in one data folder: database, uploaded files, keys, certificate, mail.
Name it with --data or the environment variable ROLLBOOK_DATA; the default is `data` in the current
folder."""

WITHOUT_JSON = frozenset(
    {
        "rollbook serve",
        "rollbook web",
        "rollbook worker",
        "rollbook admin",
        "rollbook student export",
        "rollbook mapping propose",
        "rollbook completion",
    }
)
"""Those that run until they are stopped, and those that print a file."""


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
    for parser_of_command in iter_commands(parser):
        _complete(parser_of_command)
    return parser


def _complete(command: ArgumentParser) -> None:
    """Let a command that only prints text print it as JSON, too, and end its help.

    The help ends with an example and with what the exit codes mean.
    """
    prints_text = command.prog not in WITHOUT_JSON and not has_option(command, "--json")
    if prints_text:
        add_json_option(command)
    command.set_defaults(prints_text=prints_text)
    example = f"{command.prog} {EXAMPLES[command.prog.partition(' ')[2]]}".rstrip()
    command.epilog = f"example:\n  {example}\n\n{command_exit_codes.describe(command)}"
