"""The ``rollbook`` command."""

import io
import json
import logging
import secrets
import sys
from argparse import Namespace
from collections.abc import Sequence
from contextlib import suppress

from rollbook.cli.errors import FAILED, OK, CommandError, Interrupted
from rollbook.cli.parser import build_parser
from rollbook.cli.printed_text import text_as_json
from rollbook.cli.registration import Action, Bootstrap
from rollbook.cli.terminal import paint
from rollbook.environment import LOG_FORMAT
from rollbook.log_format import FORMATTERS

log = logging.getLogger(__name__)


def run(argv: Sequence[str]) -> int:
    """Run one subcommand and return its exit code.

    1. Parse the arguments.
    2. Bootstrap: open the data folder, as far as the subcommand needs it.
    3. Run the subcommand's action. Results go to stdout; everything else, including errors, goes
       to stderr. With ``--json``, an error is printed on stdout as well, as a JSON object.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A terminal that can't display a character gets an escape sequence instead of an error.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        exit_code = _parse_and_run(argv)
        sys.stdout.flush()
        return exit_code
    except BrokenPipeError:  # the reader of our output, such as `head`, has closed it
        return FAILED
    except CommandError as error:
        return _report(error, argv)
    except KeyboardInterrupt:
        return _report(Interrupted(), argv)
    except OSError as error:
        return _report(CommandError("not_possible", _describe(error)), argv)


def _parse_and_run(argv: Sequence[str]) -> int:
    parser = build_parser()
    try:
        arguments = parser.parse_args(argv)
    except SystemExit as end:  # --help and --version
        return int(end.code or 0)
    if "action" not in arguments:
        parser.print_help()
        return OK
    try:
        return _bootstrap_and_run(arguments)
    except (CommandError, OSError):
        raise
    except Exception:
        reference = secrets.token_hex(3)
        log.exception("%s failed, reference %s", arguments.command_name, reference)
        text = f"this is a bug in Rollbook; please report it with reference {reference}"
        raise CommandError("internal_error", text) from None


def _report(error: CommandError, argv: Sequence[str]) -> int:
    """Print the error, and return the exit code."""
    word, space, rest = str(error).partition(" ")
    print(f"{paint(word, 'bad', sys.stderr)}{space}{rest}", file=sys.stderr)
    if "--json" in argv:
        with suppress(OSError):  # such as a full disk, which may be the error
            print(json.dumps({"error": error.to_json()}, ensure_ascii=False, indent=2), flush=True)
    return error.exit_code


def _bootstrap_and_run(arguments: Namespace) -> int:
    action: Action = arguments.action
    if arguments.prints_text and arguments.json:
        action = text_as_json(action)
    if arguments.bootstrap is Bootstrap.NONE:
        _configure_logging()
        return action(arguments)
    # Imported here because it imports Django, which --help and `file check` must not wait for.
    from rollbook.cli.bootstrap import BOOTSTRAPS, reporting_database_errors

    with reporting_database_errors():
        BOOTSTRAPS[arguments.bootstrap](arguments)
        return action(arguments)


def _configure_logging() -> None:
    """Log in the same format as with the settings, of which others may be wrong."""
    handler = logging.StreamHandler()
    with suppress(OSError, ValueError):
        handler.setFormatter(FORMATTERS[LOG_FORMAT.read()]())
    logging.basicConfig(handlers=[handler])


def _describe(error: OSError) -> str:
    path = f"{error.filename}: " if error.filename else ""
    return (
        f"{path}{error.strerror or error}; check that it exists, that you have permission to use "
        "it, and that the disk is not full"
    )
