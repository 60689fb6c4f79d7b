"""Registers ``rollbook outbox``."""

from argparse import Namespace

from rollbook.cli.registration import Commands, add_command, add_command_group, add_json_option

STATES = ("queued", "retrying", "bounced", "failed", "obsolete", "sent")


def register(commands: Commands) -> None:
    """Register ``outbox list``, ``outbox show`` and ``outbox resend``."""
    group = add_command_group(commands, "outbox", "Show outgoing emails and send them again.")
    _register_list(group)
    _register_show(group)
    _register_resend(group)


def _register_list(group: Commands) -> None:
    command = add_command(
        group,
        "list",
        _run_list,
        "List the emails that have not been sent, newest first.",
        "Bounced emails were rejected by the mail server for good; failed ones were given up after "
        "two days of retries. Obsolete ones were no longer needed when they were due.",
    )
    command.add_argument("--district", metavar="DISTRICT", help="short name of a district")
    command.add_argument("--state", choices=STATES, help="only emails in this state")
    command.add_argument(
        "--limit", type=int, metavar="N", default=100, help="at most so many (default: 100)"
    )
    add_json_option(command)


def _register_show(group: Commands) -> None:
    command = add_command(
        group,
        "show",
        _run_show,
        "Show an email: recipient, state, attempts and the last error.",
        "Its text isn't shown, because it may contain a link for choosing a password.",
    )
    command.add_argument("id", metavar="ID", help="such as account-12, see `rollbook outbox list`")
    add_json_option(command)


def _register_resend(group: Commands) -> None:
    command = add_command(
        group,
        "resend",
        _run_resend,
        "Send emails again that bounced or failed, or that wait for a retry.",
        "They are sent right away, and retried for two days.",
    )
    choice = command.add_mutually_exclusive_group(required=True)
    choice.add_argument("ids", metavar="ID", nargs="*", default=[], help="such as account-12")
    choice.add_argument("--failed", action="store_true", help="all that bounced or failed")
    command.add_argument(
        "--district", metavar="DISTRICT", help="with --failed: only those of a district"
    )


def _run_list(arguments: Namespace) -> int:
    from rollbook.cli.actions.outbox import list_mails

    return list_mails(arguments)


def _run_show(arguments: Namespace) -> int:
    from rollbook.cli.actions.outbox import show

    return show(arguments)


def _run_resend(arguments: Namespace) -> int:
    from rollbook.cli.actions.outbox import resend

    return resend(arguments)
