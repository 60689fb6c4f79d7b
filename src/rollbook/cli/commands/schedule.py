"""Registers ``rollbook schedule``."""

from argparse import Namespace

from rollbook.cli.registration import (
    Commands,
    add_command,
    add_command_group,
    add_district_argument,
    add_json_option,
)


def register(commands: Commands) -> None:
    """Register ``schedule show``, ``set``, ``pause``, ``unpause`` and ``quiet``."""
    group = add_command_group(
        commands, "schedule", "Show and set when a district's student files are expected."
    )
    command = add_command(
        group,
        "show",
        _run_show,
        "Show when files are expected, the pauses, and whether a file is missing now.",
    )
    add_district_argument(command)
    add_json_option(command)
    _register_set(group)
    _register_pauses(group)
    _register_quiet(group)


def _register_set(group: Commands) -> None:
    command = add_command(
        group,
        "set",
        _run_set,
        "Set by when a file is expected on each weekday.",
        "If no complete file has arrived and been applied by then, the staff members who get all "
        "results are emailed, or else the district managers. Example: "
        "rollbook schedule set maple-usd --time mon-fri=6:00AM --time sun=off",
    )
    add_district_argument(command)
    command.add_argument(
        "--time",
        metavar="DAYS=TIME",
        action="append",
        default=[],
        help="days such as mon, mon-fri or all, and a local time such as 6:00AM, 18:30 or off",
    )
    command.add_argument(
        "--grace", metavar="MINUTES", type=int, help="how late a file may be before an email"
    )
    command.add_argument(
        "--count",
        choices=("complete", "any"),
        help="which files count: those with at least half as many rows as active students, or any",
    )


def _register_pauses(group: Commands) -> None:
    command = add_command(
        group, "pause", _run_pause, "Add days on which no file is expected, such as holidays."
    )
    add_district_argument(command)
    command.add_argument("first", metavar="FIRST", help="first day, such as 2026-12-21")
    command.add_argument("last", metavar="LAST", help="last day, such as 2027-01-03")
    command = add_command(group, "unpause", _run_unpause, "Remove a pause.")
    add_district_argument(command)
    command.add_argument("first", metavar="FIRST", help="its first day")


def _register_quiet(group: Commands) -> None:
    command = add_command(
        group,
        "quiet",
        _run_quiet,
        "Set the quiet hours of each weekday, when students don't change.",
        "An update that is checked in quiet hours waits until they end, or until a person applies "
        "it. Example: rollbook schedule quiet maple-usd --time mon-fri=7:30AM-3:30PM",
    )
    add_district_argument(command)
    command.add_argument(
        "--time",
        metavar="DAYS=TIMES",
        action="append",
        required=True,
        help="days such as mon, mon-fri or all, and local times such as 7:30AM-3:30PM, or off",
    )


def _run_quiet(arguments: Namespace) -> int:
    from rollbook.cli.actions.schedule import quiet

    return quiet(arguments)


def _run_show(arguments: Namespace) -> int:
    from rollbook.cli.actions.schedule import show

    return show(arguments)


def _run_set(arguments: Namespace) -> int:
    from rollbook.cli.actions.schedule import set_times

    return set_times(arguments)


def _run_pause(arguments: Namespace) -> int:
    from rollbook.cli.actions.schedule import pause

    return pause(arguments)


def _run_unpause(arguments: Namespace) -> int:
    from rollbook.cli.actions.schedule import unpause

    return unpause(arguments)
