"""Registers ``rollbook mail``."""

from argparse import Namespace

from rollbook.cli.registration import Commands, add_command, add_command_group


def register(commands: Commands) -> None:
    """Register ``mail show`` and ``mail release``."""
    group = add_command_group(commands, "mail", "Show and release emails held after a restore.")
    add_command(
        group,
        "show",
        _run_show,
        "Show whether emails are held, and how many are waiting.",
        "After a restore nothing is sent until `rollbook mail release`, because most of the emails "
        "that were waiting when the backup was made have been sent since.",
    )
    release = add_command(
        group,
        "release",
        _run_release,
        "Let emails be sent again after a restore.",
    )
    release.add_argument(
        "--drop",
        action="store_true",
        help="never send those that are waiting now; only later ones are sent",
    )


def _run_show(arguments: Namespace) -> int:
    from rollbook.cli.actions.mail import show

    return show(arguments)


def _run_release(arguments: Namespace) -> int:
    from rollbook.cli.actions.mail import release

    return release(arguments)
