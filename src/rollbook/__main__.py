"""The ``rollbook`` command."""

import os
import sys


def main() -> int:
    """Run one subcommand and return its exit code."""
    os.umask(0o077)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rollbook.settings")
    from rollbook import core_dumps
    from rollbook.cli import run
    from rollbook.log_format import log_uncaught_exceptions

    core_dumps.turn_off()
    log_uncaught_exceptions()
    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
