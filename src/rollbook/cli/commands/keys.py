"""Registers ``rollbook keys``."""

from argparse import ArgumentParser, Namespace

from rollbook.cli.registration import (
    Bootstrap,
    Commands,
    add_command,
    add_command_group,
    add_json_option,
)

NAMES = (
    "session",
    "logins",
    "student-passwords",
    "student-password-marks",
    "row-digests",
    "district-keys",
)


def register(commands: Commands) -> None:
    """Register ``keys list``, ``rotate``, ``activate`` and ``accept-loss``."""
    group = add_command_group(commands, "keys", "Manage secret keys, see docs/keys.md.")
    _register_list(group)
    _register_rotate(group)
    _register_activate(group)
    _register_accept_loss(group)


def _register_list(group: Commands) -> None:
    command = add_command(
        group,
        "list",
        _run_list,
        "List all keys with their versions, what needs them, and what is wrong with their files.",
        "The keys themselves are never shown. All students' passwords are counted, which takes a "
        "second for a million students.",
        bootstrap=Bootstrap.DATABASE_WITHOUT_KEYS,
    )
    add_json_option(command)


def _register_rotate(group: Commands) -> None:
    command = add_command(
        group,
        "rotate",
        _run_rotate,
        "Replace a key by a new one; the old one is kept until nothing needs it.",
        "On SQLite the new key is used right away. On PostgreSQL it is only created: copy its file "
        "to the keys folder of all other machines, then run `rollbook keys activate`. Running "
        "servers and workers use it a few seconds later; nothing has to be restarted.",
    )
    _add_name(command)
    command.add_argument(
        "--activate",
        action="store_true",
        help="use the new key right away on PostgreSQL too, because there is only one machine",
    )


def _register_activate(group: Commands) -> None:
    command = add_command(
        group,
        "activate",
        _run_activate,
        "Use the new key that `rollbook keys rotate` has created.",
        "All machines must have a copy of its file: one that doesn't have it can't read what the "
        "others write.",
    )
    _add_name(command)


def _register_accept_loss(group: Commands) -> None:
    command = add_command(
        group,
        "accept-loss",
        _run_accept_loss,
        "Accept that keys are lost, so that Rollbook starts again with new ones.",
        "Says what is lost with each of them, and asks for confirmation. Look for a copy first: in "
        "your backups, and on the other machines. Nothing can be restored afterward, not even if "
        "the file is found.",
        bootstrap=Bootstrap.DATABASE_WITHOUT_KEYS,
    )
    command.add_argument("names", metavar="NAME", nargs="+", choices=NAMES, help=_NAME_HELP)
    command.add_argument("--yes", action="store_true", help="don't ask for confirmation")


_NAME_HELP = f"name of the key: {', '.join(NAMES)}"


def _add_name(command: ArgumentParser) -> None:
    command.add_argument("name", metavar="NAME", choices=NAMES, help=_NAME_HELP)


def _run_list(arguments: Namespace) -> int:
    from rollbook.cli.actions.keys import list_keys

    return list_keys(arguments)


def _run_rotate(arguments: Namespace) -> int:
    from rollbook.cli.actions.keys import rotate

    return rotate(arguments)


def _run_activate(arguments: Namespace) -> int:
    from rollbook.cli.actions.keys import activate

    return activate(arguments)


def _run_accept_loss(arguments: Namespace) -> int:
    from rollbook.cli.actions.keys import accept_loss

    return accept_loss(arguments)
