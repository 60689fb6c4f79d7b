"""Asks for confirmation of what can't be undone."""

import sys

from rollbook.cli.errors import USAGE, CommandError


def require_typed(expected: str, prompt: str, option: str, unchanged: str) -> None:
    """Ask to type a text on the terminal.

    Args:
        expected: The text to type.
        prompt: What is asked for.
        option: The option with which scripts confirm.
        unchanged: What was not done if another text is typed.

    Raises:
        CommandError: Another text was typed, or there is no terminal.
    """
    if not sys.stdin.isatty():
        raise CommandError(
            "no_terminal",
            f"there is no terminal to confirm this on; use {option}; {unchanged}",
            USAGE,
        )
    print(f"{prompt}: ", end="", file=sys.stderr, flush=True)
    require_equal(sys.stdin.readline().strip(), expected, unchanged)


def require_equal(typed: str, expected: str, unchanged: str) -> None:
    """Compare what was typed.

    Raises:
        CommandError: It is another text.
    """
    if typed != expected:
        raise CommandError(
            "not_confirmed", f"'{typed}' is not '{expected}'; {unchanged}, try again"
        )
