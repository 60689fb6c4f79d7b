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


def require_typed(expected: str, prompt: str, option: str) -> None:
    """Ask for the name of what is going to be removed.

    Args:
        expected: The text to type.
        prompt: What is asked for.
        option: The option to use where there is no terminal.

    Raises:
        CommandError: Another text was typed, or there is no terminal.
    """
    if not sys.stdin.isatty():
        raise CommandError(
            "no_terminal",
            f"there is no terminal to confirm this on; use {option}; nothing was removed",
            USAGE,
        )
    print(f"{prompt}: ", end="", file=sys.stderr, flush=True)
    require_equal(sys.stdin.readline().strip(), expected)


def require_equal(typed: str, expected: str) -> None:
    """Compare what was typed.

    Raises:
        CommandError: It is another text.
    """
    if typed != expected:
        raise CommandError(
            "not_confirmed", f"'{typed}' is not '{expected}'; nothing was removed, try again"
        )
