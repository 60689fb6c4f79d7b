"""Commands that run Python in a child process."""

import sys


def python_command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module, never one from the current folder.

    Without ``-P``, Python looks there first, so a file named ``rollbook.py`` or ``json.py`` that
    anyone can put there would be executed.
    """
    return [sys.executable, "-P", "-m", module, *arguments]
