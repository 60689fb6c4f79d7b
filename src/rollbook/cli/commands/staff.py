"""Registers ``rollbook staff``."""

from argparse import ArgumentParser, Namespace

from rollbook.cli.argument_types import count
from rollbook.cli.registration import (
    Commands,
    add_command,
    add_command_group,
    add_district_argument,
    add_json_option,
)


def register(commands: Commands) -> None:
    """Register ``staff add``, ``list`` and the commands that change a member."""
    group = add_command_group(commands, "staff", "Manage staff members, who can sign in.")
    _register_add(group)
    _register_list(group)
    _register_reinvite(group)
    _register_activation(group)
    _register_second_factor_off(group)


def _register_add(group: Commands) -> None:
    command = add_command(
        group,
        "add",
        _run_add,
        "Add a staff member.",
        "By default the member is emailed an invitation with a link for choosing a password, "
        "valid for 7 days. You can also enter the password when prompted, or read it from a file. "
        "It is never an argument, because other users of this machine could see it.",
    )
    add_district_argument(command)
    command.add_argument("email", metavar="EMAIL", help="email address, which is the login")
    command.add_argument("--first", metavar="NAME", required=True, help="first name")
    command.add_argument("--last", metavar="NAME", required=True, help="last name")
    command.add_argument(
        "--role",
        required=True,
        help="district manager, school manager, instructor, or a role defined by the district",
    )
    command.add_argument(
        "--school",
        metavar="ID",
        action="append",
        default=[],
        help="SCHOOL_ID of a school of a school manager or instructor; repeat for more schools",
    )
    _add_password_options(command)


def _add_password_options(command: ArgumentParser) -> None:
    options = command.add_mutually_exclusive_group()
    options.add_argument(
        "--password-file",
        metavar="FILE",
        help="use the first line of this file as the password; - reads stdin",
    )
    options.add_argument(
        "--ask-password", action="store_true", help="prompt for the password on the terminal"
    )


def _register_list(group: Commands) -> None:
    command = add_command(group, "list", _run_list, "List the staff of a district, or of all.")
    command.add_argument(
        "district", metavar="DISTRICT", nargs="?", help="short name of the district; all without it"
    )
    command.add_argument(
        "--unused",
        metavar="DAYS",
        type=count,
        help="only active accounts that nobody has used for so many days: no sign-in, no token",
    )
    add_json_option(command)


def _register_reinvite(group: Commands) -> None:
    command = add_command(
        group,
        "reinvite",
        _run_reinvite,
        "Invite a member again who hasn't chosen a password yet.",
        "The link in the new email is valid for 7 days. Links that were sent before stay valid, "
        "until one of them is used.",
    )
    _add_email(command)
    command.add_argument(
        "--print-link",
        action="store_true",
        help="print the link and send no email; anyone who has the link can choose the password",
    )


def _register_activation(group: Commands) -> None:
    deactivate = add_command(
        group,
        "deactivate",
        _run_deactivate,
        "Deactivate a member.",
        "The member can no longer sign in; sessions, links and tokens are ended. What the member "
        "did stays in the audit log. The last district manager who can sign in can't be "
        "deactivated.",
    )
    reactivate = add_command(
        group,
        "reactivate",
        _run_reactivate,
        "Let a deactivated member sign in again.",
        "The password is the previous one; tokens have to be created again.",
    )
    _add_email(deactivate)
    _add_email(reactivate)


def _add_email(command: ArgumentParser) -> None:
    command.add_argument("email", metavar="EMAIL", help="email address, which is the login")


def _register_second_factor_off(group: Commands) -> None:
    command = add_command(
        group,
        "second-factor-off",
        _run_second_factor_off,
        "Turn off a member's two-step verification.",
        "For members who have lost both their authenticator app and their recovery codes, and have "
        "no manager who could do it for them under Staff. Verify who is asking first. Afterward "
        "the password alone is enough to sign in, all of the member's sessions are ended, and the "
        "member is notified by email.",
    )
    _add_email(command)


def _run_add(arguments: Namespace) -> int:
    from rollbook.cli.actions.staff import add

    return add(arguments)


def _run_second_factor_off(arguments: Namespace) -> int:
    from rollbook.cli.actions.staff import second_factor_off

    return second_factor_off(arguments)


def _run_list(arguments: Namespace) -> int:
    from rollbook.cli.actions.staff import list_staff

    return list_staff(arguments)


def _run_reinvite(arguments: Namespace) -> int:
    from rollbook.cli.actions.staff import reinvite

    return reinvite(arguments)


def _run_deactivate(arguments: Namespace) -> int:
    from rollbook.cli.actions.staff import deactivate

    return deactivate(arguments)


def _run_reactivate(arguments: Namespace) -> int:
    from rollbook.cli.actions.staff import reactivate

    return reactivate(arguments)
