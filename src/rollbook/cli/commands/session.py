"""Registers ``rollbook session``."""

from argparse import ArgumentParser, Namespace

from rollbook.cli.registration import Commands, add_command, add_command_group, add_json_option


def register(commands: Commands) -> None:
    """Register ``session list`` and ``session end``."""
    group = add_command_group(commands, "session", "Show and end sessions of browsers.")
    listing = add_command(group, "list", _run_list, "List who is signed in.")
    _add_choice(listing, is_required=False)
    add_json_option(listing)
    end = add_command(
        group,
        "end",
        _run_end,
        "End all sessions of a member or a district.",
        "They can sign in again. To prevent that, use `rollbook staff deactivate`.",
    )
    _add_choice(end, is_required=True)


def _add_choice(command: ArgumentParser, *, is_required: bool) -> None:
    choice = command.add_mutually_exclusive_group(required=is_required)
    choice.add_argument("--member", metavar="EMAIL", help="the login of a staff member")
    choice.add_argument("--district", metavar="DISTRICT", help="short name of a district")


def _run_list(arguments: Namespace) -> int:
    from rollbook.cli.actions.session import list_sessions

    return list_sessions(arguments)


def _run_end(arguments: Namespace) -> int:
    from rollbook.cli.actions.session import end

    return end(arguments)
