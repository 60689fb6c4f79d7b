"""Registers ``rollbook audit``."""

from argparse import Namespace

from rollbook.cli.registration import Commands, add_command, add_command_group


def register(commands: Commands) -> None:
    """Register ``audit check``."""
    group = add_command_group(commands, "audit", "Verify the audit log.")
    command = add_command(
        group,
        "check",
        _run_check,
        "Check that the audit log has not been tampered with.",
        "Every event is sealed shortly after it is recorded, with a key that is not in the "
        "database. A seal that does not match means that an event was changed, added or removed "
        "without Rollbook. The newest seal is also kept in the data folder, and must still exist.",
    )
    command.add_argument(
        "--expect",
        metavar="NUMBER:DIGEST",
        help="a seal that must exist, from the daily email to the operator or an earlier check",
    )


def _run_check(arguments: Namespace) -> int:
    from rollbook.cli.actions.audit import check

    return check(arguments)
