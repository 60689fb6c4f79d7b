"""Registers ``rollbook init``."""

from argparse import Namespace

from rollbook.cli.registration import Bootstrap, Commands, add_command


def register(commands: Commands) -> None:
    """Register the command."""
    command = add_command(
        commands,
        "init",
        _run_init,
        "Set up a new installation: the first district and its first manager.",
        "Asks on the terminal for what the options don't say. Creates the data folder and the "
        "database if needed, and prints a link with which the manager chooses a password, valid "
        "for 7 days. For more districts, use "
        "`rollbook district add` or `rollbook apply`.",
        bootstrap=Bootstrap.NEW_DATABASE,
    )
    command.add_argument("--district", metavar="NAME", help='such as "Maple USD"')
    command.add_argument("--time-zone", metavar="ZONE", help="such as America/Chicago")
    command.add_argument("--email", metavar="EMAIL", help="the manager's email, which is the login")
    command.add_argument("--first", metavar="NAME", help="the manager's first name")
    command.add_argument("--last", metavar="NAME", help="the manager's last name")


def _run_init(arguments: Namespace) -> int:
    from rollbook.cli.actions.init import init

    return init(arguments)
