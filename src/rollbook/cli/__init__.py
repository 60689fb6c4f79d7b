"""The ``rollbook`` command."""

import io
import logging
import secrets
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from importlib import import_module

from rollbook.cli.errors import FAILED, INTERRUPTED, USAGE, CommandError
from rollbook.cli.parser import build_parser
from rollbook.logs import Line

log = logging.getLogger(__name__)


def run(argv: Sequence[str]) -> int:
    """Run one subcommand; returns the exit code.

    1. Understand the arguments.
    2. Open the data folder, as far as the subcommand needs it.
    3. Do it. Results go to stdout; everything else, errors too, goes to stderr.
    """
    grammar = build_parser()
    try:
        arguments = grammar.parse_args(argv)
    except (
        SystemExit
    ) as end:  # --help, --version, or a mistake in the arguments, which argparse has explained
        return int(end.code or 0)
    if "run" not in arguments:
        grammar.print_help(sys.stderr)
        return USAGE
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(
            errors="backslashreplace"
        )  # a terminal that cannot show a name still shows the rest
    try:
        code = _run(arguments)
        sys.stdout.flush()
        return code
    except CommandError as failure:
        print(failure, file=sys.stderr)
        return failure.exit_code
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # whoever read our output, `head` for example, has seen enough
        return FAILED
    except OSError as error:
        print(CommandError("not_possible", _of_the_system(error)), file=sys.stderr)
        return FAILED
    except Exception:
        reference = secrets.token_hex(3)
        log.exception("%s failed, reference %s", arguments.run, reference)
        print(
            CommandError(
                "internal_error", f"reference {reference}; this is our fault, please report it"
            ),
            file=sys.stderr,
        )
        return FAILED


def _run(arguments: Namespace) -> int:
    # What needs the settings is imported only when they know their folder, and Django only by who needs it.
    if arguments.opening is None:
        _log_plainly()
        return _function(arguments)(arguments)
    bootstrap = import_module("rollbook.cli.bootstrap")
    bootstrap.reporting_database_errors(bootstrap.BOOTSTRAPS[arguments.opening], arguments)
    code: int = bootstrap.reporting_database_errors(_function(arguments), arguments)
    return code


def _function(arguments: Namespace) -> Callable[[Namespace], int]:
    module, _, name = arguments.run.partition(".")
    function: Callable[[Namespace], int] = getattr(
        import_module(f"rollbook.cli.actions.{module}"), name
    )
    return function


def _log_plainly() -> None:
    """As the settings would have it."""
    handler = logging.StreamHandler()
    handler.setFormatter(Line())
    logging.basicConfig(handlers=[handler])


def _of_the_system(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}; see that it is there, that you may use it, and that the disk has room"
