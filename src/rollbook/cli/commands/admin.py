"""Registers ``rollbook admin``."""

from argparse import Namespace

from rollbook.cli import argument_types
from rollbook.cli.registration import Bootstrap, Commands, add_command


def register(commands: Commands) -> None:
    """Register the command."""
    command = add_command(
        commands,
        "admin",
        _run_admin,
        "Serve pages for operators, on this machine only.",
        "The pages show the server's districts with their staff, updates, emails and audit log, "
        "but no students. The name of a district is the only thing that can be changed. Every page "
        "view is recorded in the audit log.",
        "Prints the address and a secret that lets one browser sign in, once, then serves until it "
        "receives SIGTERM or Ctrl-C. It can run with or without the server.",
        bootstrap=Bootstrap.OPERATOR_PAGES,
    )
    command.add_argument(
        "--port",
        type=argument_types.port,
        default=8444,
        help="port to listen on (default: 8444; 0 picks a free port)",
    )


def _run_admin(arguments: Namespace) -> int:
    from rollbook.cli.actions.admin import admin

    return admin(arguments)
