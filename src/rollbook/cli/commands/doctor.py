"""Registers ``rollbook doctor``."""

from argparse import Namespace
from pathlib import Path

from rollbook.cli.registration import (
    Bootstrap,
    Commands,
    add_command,
    add_data_option,
    add_json_option,
)


def register(commands: Commands) -> None:
    """Register the command; it must work where nothing else does, so it needs no bootstrap."""
    command = add_command(
        commands,
        "doctor",
        _run_doctor,
        "Diagnose this installation and say how to fix problems.",
        "Checks settings, data folder, disk, database, keys, clock, server, certificate, worker, "
        "updates, emails, mail server and alerts without changing anything. Each result is OK, "
        "WARNING or ERROR. Exits with 1 if there are errors, and with 0 if there are only "
        "warnings. Run it as the same user and with the same settings as the server.",
        bootstrap=Bootstrap.NONE,
    )
    add_data_option(command)
    command.add_argument(
        "--cert", type=Path, metavar="FILE", help="certificate, as passed to `serve`"
    )
    command.add_argument(
        "--key", type=Path, metavar="FILE", help="its private key, as passed to `serve`"
    )
    command.add_argument(
        "--behind-proxy", action="store_true", help="a reverse proxy has the certificate"
    )
    command.add_argument(
        "--mail-to", metavar="EMAIL", help="send a test email to this address (default: none)"
    )
    add_json_option(command)


def _run_doctor(arguments: Namespace) -> int:
    from rollbook.cli.actions.doctor import doctor

    return doctor(arguments)
