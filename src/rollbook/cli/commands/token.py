"""Registers ``rollbook token``."""

from argparse import ArgumentParser, Namespace

from rollbook.cli.registration import Commands, add_command, add_command_group, add_json_option


def register(commands: Commands) -> None:
    """Register ``token list`` and ``token revoke``."""
    group = add_command_group(commands, "token", "Show and revoke tokens of scripts.")
    listing = add_command(group, "list", _run_list, "List the tokens that work.")
    _add_choice(listing, is_required=False)
    add_json_option(listing)
    revoke = add_command(
        group,
        "revoke",
        _run_revoke,
        "Revoke all tokens of a member, a district or the whole installation.",
        "Their scripts are refused from the next request. It can't be undone; their owners create "
        "other tokens in the browser.",
    )
    _add_choice(revoke, is_required=True)


def _add_choice(command: ArgumentParser, *, is_required: bool) -> None:
    choice = command.add_mutually_exclusive_group(required=is_required)
    choice.add_argument("--member", metavar="EMAIL", help="the login of a staff member")
    choice.add_argument("--district", metavar="DISTRICT", help="short name of a district")
    if is_required:
        choice.add_argument("--all", action="store_true", help="all tokens of all districts")


def _run_list(arguments: Namespace) -> int:
    from rollbook.cli.actions.token import list_tokens

    return list_tokens(arguments)


def _run_revoke(arguments: Namespace) -> int:
    from rollbook.cli.actions.token import revoke

    return revoke(arguments)
