"""Registers ``rollbook district``."""

from argparse import Namespace
from pathlib import Path

from rollbook.cli.argument_types import count, count_or_zero
from rollbook.cli.registration import (
    Bootstrap,
    Commands,
    add_certificates_option,
    add_command,
    add_command_group,
    add_district_argument,
    add_json_option,
)


def register(commands: Commands) -> None:
    """Register ``district list``, ``show``, ``add``, ``set`` and what ends a district's use."""
    group = add_command_group(commands, "district", "Manage districts.")
    _register_list(group)
    _register_show(group)
    _register_add(group)
    _register_set(group)
    _register_rename(group)
    _register_suspend(group)
    _register_resume(group)
    _register_export(group)
    _register_delete(group)


def _register_list(group: Commands) -> None:
    command = add_command(
        group,
        "list",
        _run_list,
        "List all districts with their numbers, last update and state.",
    )
    add_json_option(command)


def _register_show(group: Commands) -> None:
    command = add_command(
        group,
        "show",
        _run_show,
        "Show a district with its numbers, settings, last export and state.",
    )
    add_district_argument(command)
    add_json_option(command)


def _register_add(group: Commands) -> None:
    command = add_command(
        group,
        "add",
        _run_add,
        "Add a district.",
        "Other commands identify the district by a short name made from its name: Maple USD "
        "becomes maple-usd.",
        bootstrap=Bootstrap.NEW_DATABASE,
    )
    command.add_argument("name", metavar="NAME", help='name of the district, such as "Maple USD"')
    command.add_argument(
        "--time-zone",
        metavar="ZONE",
        default="UTC",
        help="time zone, such as America/Chicago (default: UTC)",
    )


def _register_set(group: Commands) -> None:
    command = add_command(group, "set", _run_set, "Change a district's settings.")
    add_district_argument(command)
    command.add_argument("--time-zone", metavar="ZONE", help="time zone, such as America/Chicago")
    command.add_argument(
        "--encoding",
        metavar="NAME",
        help="encoding of student files that don't specify one: utf-8, cp1252 ...",
    )
    command.add_argument(
        "--date-order",
        choices=("mdy", "dmy"),
        help="order in dates of student files: month first (mdy) or day first (dmy)",
    )
    command.add_argument(
        "--grade-codes",
        metavar="CODES",
        help='the SIS\'s own codes for grades, such as "-1 = PK, 14 = 12", replacing the current '
        'ones; "" removes all',
    )
    command.add_argument(
        "--reactivate-students",
        choices=("yes", "no"),
        help="whether inactive students who appear in a file become active",
    )
    command.add_argument(
        "--notify",
        metavar="EMAIL",
        nargs="*",
        help="staff members who receive the results of every update, replacing the current list; "
        "without an EMAIL, the list becomes empty",
    )
    command.add_argument(
        "--invitations-per-day",
        metavar="COUNT",
        type=count,
        help="how many people its staff can invite in 24 hours (2,000)",
    )
    command.add_argument(
        "--kept-gb",
        metavar="GB",
        type=count,
        help="how many gigabytes its uploaded files can take while they are kept (20)",
    )
    for option, metavar, text in _RETENTION:
        command.add_argument(option, metavar=metavar, type=count_or_zero, help=text)


_RETENTION = (
    (
        "--files-kept-days",
        "DAYS",
        "how long to keep a student file after the end of its update",
    ),
    (
        "--details-kept-days",
        "DAYS",
        "how long to keep rows and problems after the end of their update",
    ),
    ("--audit-kept-years", "YEARS", "how long to keep audit events"),
    ("--history-kept-days", "DAYS", "how long to keep the changes of students"),
    (
        "--leavers-kept-days",
        "DAYS",
        "how long to keep students after they became inactive; 0: they aren't removed",
    ),
    (
        "--staff-kept-days",
        "DAYS",
        "how long to keep staff members without access; 0: they aren't removed",
    ),
)


def _register_rename(group: Commands) -> None:
    command = add_command(
        group,
        "rename",
        _run_rename,
        "Change a district's name, or the short name that commands use.",
        "Addresses, logins, tokens and scripts that upload files keep working, because none of "
        "them contains either name. Commands, and your own scripts with commands, need the new "
        "short name.",
    )
    add_district_argument(command)
    command.add_argument("--name", metavar="NAME", help='new name, such as "Maple Unified"')
    command.add_argument("--slug", metavar="SLUG", help="new short name, such as maple-unified")


def _register_suspend(group: Commands) -> None:
    command = add_command(
        group,
        "suspend",
        _run_suspend,
        "Suspend a district: nobody in it can sign in or upload, and its data is kept.",
        "Every page and every upload command answers 403 with the reason, also to people who are "
        "signed in. An update in progress finishes its current step and pauses. Emails wait. "
        "Expired data is still removed.",
    )
    add_district_argument(command)
    command.add_argument(
        "--reason",
        metavar="TEXT",
        required=True,
        help='what people in the district are shown, such as "the contract has ended"',
    )


def _register_resume(group: Commands) -> None:
    command = add_command(
        group,
        "resume",
        _run_resume,
        "Resume a suspended district; its updates and emails continue.",
    )
    add_district_argument(command)


def _register_export(group: Commands) -> None:
    command = add_command(
        group,
        "export",
        _run_export,
        "Export everything that belongs to a district into one zip archive.",
        "The archive has students with their history, staff, settings, updates with problems, "
        "stored files and audit events, each as CSV and JSON lines, and a README. Confidential "
        "information is included; passwords are not.",
    )
    add_district_argument(command)
    command.add_argument(
        "target", type=Path, metavar="DIR|FILE", help="folder for the archive, or its name"
    )


def _register_delete(group: Commands) -> None:
    command = add_command(
        group,
        "delete",
        _run_delete,
        "Delete a district with all its data, and issue a certificate of destruction.",
        "Prints what will be removed, and asks for the name of the district. Updates are canceled. "
        "If the command is interrupted, a running worker continues, and so does the same command. "
        "Backups and exports are not touched.",
    )
    add_district_argument(command)
    command.add_argument(
        "--name", metavar="NAME", help="the full name of the district, instead of typing it"
    )
    command.add_argument(
        "--without-export",
        action="store_true",
        help="delete without the archive of `rollbook district export`, or with an outdated one",
    )
    command.add_argument(
        "--broken-audit",
        action="store_true",
        help="delete although audit events of the district were tampered with",
    )
    command.add_argument("--dry-run", action="store_true", help="only print what would be removed")
    add_certificates_option(command)


def _run_list(arguments: Namespace) -> int:
    from rollbook.cli.actions.district import list_districts

    return list_districts(arguments)


def _run_show(arguments: Namespace) -> int:
    from rollbook.cli.actions.district import show

    return show(arguments)


def _run_rename(arguments: Namespace) -> int:
    from rollbook.cli.actions.district import rename

    return rename(arguments)


def _run_suspend(arguments: Namespace) -> int:
    from rollbook.cli.actions.district import suspend

    return suspend(arguments)


def _run_resume(arguments: Namespace) -> int:
    from rollbook.cli.actions.district import resume

    return resume(arguments)


def _run_export(arguments: Namespace) -> int:
    from rollbook.cli.actions.district import export

    return export(arguments)


def _run_delete(arguments: Namespace) -> int:
    from rollbook.cli.actions.district import delete

    return delete(arguments)


def _run_add(arguments: Namespace) -> int:
    from rollbook.cli.actions.district import add

    return add(arguments)


def _run_set(arguments: Namespace) -> int:
    from rollbook.cli.actions.district import set_settings

    return set_settings(arguments)
