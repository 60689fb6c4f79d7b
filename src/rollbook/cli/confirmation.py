"""Asks for confirmation of what can't be undone."""

import sys

from rollbook.cli.errors import FAILED, USAGE, CommandError


def confirm(word: str, option: str, unchanged: str) -> None:
    """Ask to type a word on the terminal.

    Args:
        word: What has to be typed.
        option: The option with which scripts confirm.
        unchanged: What was not done if the answer is another one.

    Raises:
        CommandError: The answer is another one, or there is no terminal.
    """
    if not sys.stdin.isatty():
        raise CommandError(
            "not_confirmed", f"there is no terminal to ask for confirmation; use {option}", USAGE
        )
    print(f"Type {word} to continue: ", end="", flush=True)
    if sys.stdin.readline().strip() != word:
        raise CommandError("not_confirmed", f"the answer isn't {word}; {unchanged}", FAILED)
