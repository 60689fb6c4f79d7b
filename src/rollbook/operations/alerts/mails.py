"""Emails to the operator about alerts, in an outbox of their own.

Members' emails are sent by the worker alone. These are also sent by web servers, because the worker
may be what is gone, so each is claimed before it is sent.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction

from rollbook.accounts.audit import head, seals
from rollbook.accounts.audit.head import Head
from rollbook.mail import outbox
from rollbook.mail.content import Content, Item, Section
from rollbook.operations.alerts.conditions import BY_CODE
from rollbook.operations.alerts.models import Alert, AlertEvent, AlertMail
from rollbook.text import count_of, format_datetime

LEASE = timedelta(minutes=10)
"""How long the process that sends an email has it for itself; a mail server takes less."""

AUDIT_INTERVAL = timedelta(days=1)

RETENTION = timedelta(days=90)

_SENTENCE = {
    AlertEvent.OPENED: "This needs your attention",
    AlertEvent.REMINDER: "This still needs your attention",
    AlertEvent.RESOLVED: "This is no longer a problem",
}
_PREFIX = {AlertEvent.REMINDER: "Reminder: ", AlertEvent.RESOLVED: "Resolved: "}


def queue(event: AlertEvent, alerts: Sequence[Alert], now: datetime) -> None:
    """Queue an email to each operator, in the surrounding transaction."""
    contents = [
        {"code": alert.code, "detail": alert.detail, "opened_at": alert.opened_at.isoformat()}
        for alert in alerts
    ]
    for address in settings.OPERATOR_EMAIL:
        AlertMail.objects.create(
            event=event, to_address=address, alerts=contents, queued_at=now, next_attempt_at=now
        )


def queue_newest_seal(now: datetime) -> None:
    """Queue the daily email with the newest seal of the audit log, if there is a new one.

    It is a copy of the seal that nobody on the server can change.
    """
    newest = head.newest()
    if newest is None or not _is_new(str(newest), now):
        return
    content = [{"code": "", "detail": str(newest), "opened_at": now.isoformat()}]
    with transaction.atomic():
        seals.lock()  # so that one of the processes queues it
        if _is_new(str(newest), now):
            for address in settings.OPERATOR_EMAIL:
                AlertMail.objects.create(
                    event=AlertEvent.AUDIT,
                    to_address=address,
                    alerts=content,
                    queued_at=now,
                    next_attempt_at=now,
                )


def _is_new(newest: str, now: datetime) -> bool:
    """Return whether a seal wasn't sent yet, nor another one in the last day."""
    last = AlertMail.objects.filter(event=AlertEvent.AUDIT).order_by("-pk").first()
    if last is None:
        return True
    is_old = abs(now - last.queued_at) >= AUDIT_INTERVAL
    return is_old and last.alerts[0]["detail"] != newest


def send_due() -> int:
    """Try to send each email that is due, and return how many were tried."""
    return outbox.send_due(AlertMail.objects.all(), message, lease=LEASE)


def purge(now: datetime) -> None:
    """Remove emails that were sent or given up long ago."""
    AlertMail.objects.filter(next_attempt_at=None, queued_at__lt=now - RETENTION).delete()


def message(mail: AlertMail) -> EmailMultiAlternatives:
    """Return the message to send."""
    event, items = AlertEvent(mail.event), list(map(_item, mail.alerts))
    outcome = _PREFIX.get(event, "") + _subject(event, items)
    if event is AlertEvent.TEST:
        content = _test(outcome)
    elif event is AlertEvent.AUDIT:
        content = _newest_seal(outcome, items[0]["detail"])
    else:
        content = _alerts(outcome, event, items)
    message_id = f"operations.alert-mail-{mail.pk or 'test'}"
    return outbox.render_message(mail, content, message_id)


def _test(outcome: str) -> Content:
    return Content(
        outcome=outcome,
        district="Rollbook",
        sentence=f"This is a test of the alerts from {settings.URL}.",
        paragraphs=(
            "You'll get an email like this if something goes wrong there. No action needed.",
        ),
    )


def _newest_seal(outcome: str, seal: str) -> Content:
    return Content(
        outcome=outcome,
        district="Rollbook",
        sentence=f"The command below has the newest seal of the audit log at {settings.URL}.",
        paragraphs=(
            "Keep this email. To check at any time that nothing up to then was removed or changed, "
            "run:",
        ),
        code=f"rollbook audit check --expect {seal}",
        notes=("No action needed. There is at most one such email a day.",),
    )


def _alerts(outcome: str, event: AlertEvent, items: Sequence[dict[str, str]]) -> Content:
    notes = ("No action needed.",)
    if event is not AlertEvent.RESOLVED:
        notes = (
            "We send a reminder every day until it's fixed, and an email when it is. "
            "`rollbook alert list` shows all alerts, and `rollbook doctor` checks your "
            "installation.",
        )
    return Content(
        outcome=outcome,
        district="Rollbook",
        sentence=f"{_SENTENCE[event]} at {settings.URL}:",
        sections=(Section("", tuple(_alert(event, item) for item in items)),),
        notes=notes,
    )


def _alert(event: AlertEvent, item: dict[str, str]) -> Item:
    fix = () if event is AlertEvent.RESOLVED else (item["fix"],)
    return Item(
        f"{item['title']} ({item['code']})",
        (f"Since {item['since']}: {item['detail']}.", *filter(None, fix)),
    )


def _subject(event: AlertEvent, items: Sequence[dict[str, str]]) -> str:
    if event == AlertEvent.AUDIT:
        number = Head.parse(items[0]["detail"]).number
        return f"Seal {number:,} of the audit log"
    if event == AlertEvent.TEST:
        return "Test of alerts"
    if len(items) == 1:
        return items[0]["title"]
    return f"{count_of(len(items), 'problem')} on your server"


def _item(alert: dict[str, str]) -> dict[str, str]:
    condition = BY_CODE.get(alert["code"])
    return {
        "code": alert["code"],
        "detail": alert["detail"],
        "title": condition.title if condition else alert["code"],
        "fix": condition.fix if condition else "",
        "since": format_datetime(datetime.fromisoformat(alert["opened_at"]), "UTC"),
    }
