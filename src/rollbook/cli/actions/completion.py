"""Runs ``rollbook completion``."""

from argparse import Namespace

from rollbook.cli.completion import script
from rollbook.cli.errors import OK
from rollbook.cli.parser import build_parser


def completion(arguments: Namespace) -> int:
    """Print the script for a shell."""
    print(script(build_parser(), arguments.shell), end="")
    return OK
