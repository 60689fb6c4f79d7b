"""Registers ``rollbook alert``."""

from argparse import Namespace

from rollbook.cli.registration import Commands, add_command, add_command_group, add_json_option


def register(commands: Commands) -> None:
    """Register ``alert list`` and ``alert test``."""
    group = add_command_group(commands, "alert", "Show and test the alerts that you get.")
    list_command = add_command(
        group,
        "list",
        _run_list,
        "List alerts: first those that are not resolved.",
        "An alert is open until it has lasted long enough to notify you, and notified from then "
        "on. Set ROLLBOOK_OPERATOR_EMAIL, ROLLBOOK_PING_URL or both to be notified.",
    )
    add_json_option(list_command)
    add_command(
        group,
        "test",
        _run_test,
        "Send a test email to each operator, and request the ping URL.",
        "Fails if one of them doesn't work. The ping URL is requested with /fail if an alert is "
        "not resolved, as it is every few minutes.",
    )


def _run_list(arguments: Namespace) -> int:
    from rollbook.cli.actions.alert import list_alerts

    return list_alerts(arguments)


def _run_test(arguments: Namespace) -> int:
    from rollbook.cli.actions.alert import send_test

    return send_test(arguments)
