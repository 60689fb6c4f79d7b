"""Runs ``rollbook alert``: lists alerts, and tests how they are sent."""

from argparse import Namespace
from collections.abc import Iterator

from django.conf import settings
from django.utils import timezone

from rollbook.cli import output
from rollbook.cli.errors import OK, CommandError
from rollbook.cli.terminal import Toned
from rollbook.operations.alerts import mails, ping
from rollbook.operations.alerts.conditions import BY_CODE
from rollbook.operations.alerts.evaluate import has_channel
from rollbook.operations.alerts.models import Alert, AlertEvent, AlertMail, AlertState
from rollbook.text import format_timestamp


def list_alerts(arguments: Namespace) -> int:
    """Print all alerts: the unresolved ones first, then the latest."""
    alerts = sorted(Alert.objects.order_by("-opened_at"), key=_is_resolved)
    if arguments.json:
        print(output.to_json({"alerts": list(map(_to_json, alerts))}))
        return OK
    if not alerts:
        print("There are no alerts.")
        return OK
    rows = [
        (alert.code, _state(alert), format_timestamp(alert.opened_at, "UTC"), alert.detail)
        for alert in alerts
    ]
    for line in output.table(("code", "state", "since", "what was found"), rows):
        print(line)
    for alert in alerts:
        if not _is_resolved(alert) and alert.code in BY_CODE:
            print(f"\n{alert.code}: {BY_CODE[alert.code].fix}")
    return OK


def send_test(arguments: Namespace) -> int:
    """Send a test email to each operator at once, and request the ping URL."""
    if not has_channel():
        raise CommandError(
            "no_alert_channel",
            "neither ROLLBOOK_OPERATOR_EMAIL nor ROLLBOOK_PING_URL is set, so you aren't alerted; "
            "set one of them for `rollbook serve`, `web` and `worker`",
        )
    problems = [*_test_emails(), *_test_ping()]
    if problems:
        raise CommandError(
            "alert_test_failed", f"{'; '.join(problems)}; `rollbook doctor` checks the mail server"
        )
    return OK


def _test_emails() -> Iterator[str]:
    """Send the emails; yield what fails."""
    for address in settings.OPERATOR_EMAIL:
        mail = AlertMail(
            event=AlertEvent.TEST, to_address=address, alerts=[], queued_at=timezone.now()
        )
        try:
            mails.message(mail).send()
        except OSError as error:  # also smtplib's errors
            yield f"the email to {address} could not be sent ({type(error).__name__})"
        else:
            where = "" if settings.EMAIL_HOST else f", as a file in {settings.MAIL_FOLDER}"
            print(f"Test email sent to {address}{where}.")


def _test_ping() -> Iterator[str]:
    """Request the ping URL; yield why that fails."""
    if not settings.PING_URL:
        return
    problem = ping.send(ping.notified_codes())
    if problem:
        yield f"ROLLBOOK_PING_URL could not be requested ({problem})"
    else:
        print("Ping URL requested.")


def _state(alert: Alert) -> str:
    return Toned.of(alert.state, "good" if _is_resolved(alert) else "bad")


def _is_resolved(alert: Alert) -> bool:
    return alert.state == AlertState.RESOLVED


def _to_json(alert: Alert) -> dict[str, object]:
    condition = BY_CODE.get(alert.code)
    return {
        "code": alert.code,
        "title": condition.title if condition else "",
        "state": alert.state,
        "detail": alert.detail,
        "to_do": condition.fix if condition else "",
        "opened_at": alert.opened_at,
        "seen_at": alert.seen_at,
        "notified_at": alert.notified_at,
        "resolved_at": alert.resolved_at,
    }
