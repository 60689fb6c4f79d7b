"""The reference page of the command, written from the command's own help:

python -m rollbook.cli.reference docs/commands-of-the-host.md
"""

import os
import sys
from argparse import ArgumentParser, _SubParsersAction
from collections.abc import Iterator
from pathlib import Path

from rollbook.cli.parser import EXIT_CODES, build_parser

_OPENING = """\
<!-- Written by python -m rollbook.cli.reference; change the code, not this page. -->

# The rollbook command

For the operator, on the machine where Rollbook runs. Results go to stdout; progress, remarks and errors go to stderr.
An error is one line, `ERROR code: what happened; what to do`.

```
{top}
{codes}```
"""


def page() -> str:
    """The whole page as Markdown."""
    os.environ["COLUMNS"] = "100"
    top = build_parser()
    commands = (f"## {leaf.prog}\n\n```\n{_help(leaf)}```\n" for leaf in iter_commands(top))
    return "\n".join([_OPENING.format(top=_help(top), codes=EXIT_CODES), *commands])


def iter_commands(command: ArgumentParser) -> Iterator[ArgumentParser]:
    """Every subcommand that does something."""
    nouns = [action for action in command._actions if isinstance(action, _SubParsersAction)]
    if not nouns:
        yield command
    for noun in nouns:
        for below in noun.choices.values():
            yield from iter_commands(below)


def _help(command: ArgumentParser) -> str:
    """Without the exit codes, which are the same for all."""
    command.epilog = None
    return command.format_help()


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
