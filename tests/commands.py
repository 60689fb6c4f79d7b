"""Run several commands of ``rollbook`` one after the other: ``python -m tests.commands JSON``.

The argument is a list of commands, each a list of words. The first one that fails is the last one.
"""

import json
import os
import sys

from rollbook.cli import run


def main() -> int:
    """Run the commands; return the exit code of the last one."""
    os.umask(0o077)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rollbook.settings")
    code = 0
    for command in json.loads(sys.argv[1]):
        code = code or run(command)
    return code


if __name__ == "__main__":
    sys.exit(main())
