"""Ask the operator to type a text before something is done that can't be undone."""

import sys

from rollbook.cli.errors import USAGE, CommandError


def require_typed(expected: str, prompt: str, option: str) -> None:
    """Ask for a text on the terminal.

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
