"""Registers ``rollbook throttle``."""

from argparse import Namespace

from rollbook.cli.registration import Commands, add_command, add_command_group, add_json_option


def register(commands: Commands) -> None:
    """Register ``throttle list`` and ``throttle clear``."""
    group = add_command_group(commands, "throttle", "Show and clear rate limits of sign-ins.")
    command = add_command(
        group,
        "list",
        _run_list,
        "List the limits that are reached now, and the failed sign-ins of the last hour.",
        "A login that belongs to no member isn't shown, because people type passwords there. "
        "Limits of a network never apply to a member who has signed in from it in the last 30 "
        "days, nor to a valid token.",
    )
    add_json_option(command)
    _register_clear(group)


def _register_clear(group: Commands) -> None:
    command = add_command(
        group,
        "clear",
        _run_clear,
        "Forget failed sign-ins, so that a login or a network is no longer blocked.",
        "With both --login and --address, only the failures with this login from this network.",
    )
    command.add_argument("--login", metavar="EMAIL", help="the login of a staff member")
    command.add_argument(
        "--address", metavar="ADDRESS", help="IP address; its network is counted as one"
    )
    command.add_argument("--all", action="store_true", help="all failed sign-ins and resets")


def _run_list(arguments: Namespace) -> int:
    from rollbook.cli.actions.throttle import list_failures

    return list_failures(arguments)


def _run_clear(arguments: Namespace) -> int:
    from rollbook.cli.actions.throttle import clear

    return clear(arguments)
