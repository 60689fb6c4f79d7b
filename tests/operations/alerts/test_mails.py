"""The emails to the operator: their text, retries, and removal."""

import smtplib
from datetime import timedelta

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.utils import timezone
from pytest_django import Settings

from rollbook.accounts.audit import head, log, seals
from rollbook.accounts.models import Member
from rollbook.operations.alerts import mails
from rollbook.operations.alerts.models import Alert, AlertEvent, AlertMail
from tests.mail import gallery
from tests.operations.alerts.conftest import NOW

WORKER = Alert(
    code="worker_gone", detail="the last one was seen at 2026-11-29 08:00:11 UTC", opened_at=NOW
)
DISK = Alert(
    code="disk_nearly_full", detail="1.2 GB are free on the disk of /srv/<rollbook>", opened_at=NOW
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("operators")]


def rendered(event: AlertEvent, *alerts: Alert) -> EmailMultiAlternatives:
    mails.queue(event, alerts, NOW)
    return mails.message(AlertMail.objects.earliest("pk"))


def test_one_alert(settings: Settings) -> None:
    settings.URL = "https://rollbook.example"
    message = rendered(AlertEvent.OPENED, WORKER)
    assert message.subject == "No worker is running · Rollbook"
    assert message.to == ["ops@host.example"]
    assert message.body.rstrip() == (
        "No worker is running\n"
        "\n"
        "This needs your attention at https://rollbook.example:\n"
        "\n"
        "* No worker is running (worker_gone)\n"
        "  Since Nov 29, 2026, 8:05 AM UTC: the last one was seen at 2026-11-29 08:00:11 UTC.\n"
        "  Start `rollbook serve`, or on many machines `rollbook worker`, and see its log.\n"
        "\n"
        "We send a reminder every day until it's fixed, and an email when it is. "
        "`rollbook alert list` shows all alerts, and `rollbook doctor` checks your installation."
    )


@pytest.mark.parametrize(
    ("event", "subject", "beginning", "end"),
    [
        (
            AlertEvent.OPENED,
            "2 problems on your server",
            "This needs your attention",
            "installation.",
        ),
        (
            AlertEvent.REMINDER,
            "Reminder: 2 problems on your server",
            "This still needs your attention",
            "installation.",
        ),
        (
            AlertEvent.RESOLVED,
            "Resolved: 2 problems on your server",
            "This is no longer a problem",
            "\n\nNo action needed.",
        ),
    ],
)
def test_each_event_says_what_to_do(
    event: AlertEvent, subject: str, beginning: str, end: str
) -> None:
    message = rendered(event, DISK, WORKER)
    assert message.subject == f"{subject} · Rollbook"
    body = str(message.body).rstrip()
    assert body.startswith(f"{subject}\n\n{beginning} at http")
    assert body.endswith(end)
    assert body.count("Since Nov 29, 2026, 8:05 AM UTC: ") == 2
    assert ("Start `rollbook serve`" in body) == (event is not AlertEvent.RESOLVED)
    assert "\n\n\n" not in body
    [(html, _)] = message.alternatives
    assert "/srv/&lt;rollbook&gt;" in str(html)


@pytest.mark.parametrize("event", AlertEvent)
def test_an_alert_is_worded_like_this(event: AlertEvent, settings: Settings) -> None:
    settings.URL = "https://rollbook.example"
    seal = Alert(code="", detail=f"7:{'0123456789abcdef' * 4}", opened_at=NOW)
    alerts = {AlertEvent.TEST: [], AlertEvent.AUDIT: [seal]}.get(event, [DISK, WORKER])
    message = rendered(event, *alerts)
    [(page, _)] = message.alternatives
    for part, text in (("subject", f"{message.subject}\n"), ("txt", message.body), ("html", page)):
        assert text == (gallery.ALERTS / f"{event.value}.{part}").read_text(encoding="utf-8")


def test_a_test_says_that_it_is_one() -> None:
    email = AlertMail(event="test", to_address="ops@host.example", alerts=[], queued_at=NOW)
    message = mails.message(email)
    assert message.subject == "Test of alerts · Rollbook"
    assert "No action needed." in str(message.body)


def test_an_alert_of_an_older_version_can_still_be_sent() -> None:
    message = rendered(AlertEvent.RESOLVED, Alert(code="older", detail="x", opened_at=NOW))
    assert message.subject == "Resolved: older · Rollbook"


def test_an_email_is_retried_until_the_mail_server_accepts_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(message: object) -> None:
        raise smtplib.SMTPServerDisconnected

    mails.queue(AlertEvent.OPENED, [WORKER], timezone.now())
    with monkeypatch.context() as broken:
        broken.setattr(EmailMultiAlternatives, "send", refuse)
        assert mails.send_due() == 2
    waiting = AlertMail.objects.filter(attempts=1, sent_at=None)
    assert {email.last_error for email in waiting} == {"SMTPServerDisconnected"}
    assert mails.send_due() == 0
    waiting.update(next_attempt_at=timezone.now())
    assert mails.send_due() == 2
    assert len(mail.outbox) == 2


def test_an_email_whose_sender_died_is_sent_by_another_process_with_the_same_id(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mails.queue(AlertEvent.OPENED, [WORKER], timezone.now())

    def die(message: object) -> None:
        raise SystemExit

    with monkeypatch.context() as dying:
        dying.setattr(EmailMultiAlternatives, "send", die)
        with pytest.raises(SystemExit):
            mails.send_due()
    assert mails.send_due() == 1  # the other one's
    [sent] = mail.outbox
    AlertMail.objects.filter(sent_at=None).update(next_attempt_at=timezone.now())
    assert mails.send_due() == 1
    ids = {message.extra_headers["Message-ID"] for message in mail.outbox}
    assert len(ids) == 2
    assert sent.extra_headers["Message-ID"] in ids


def test_old_emails_are_removed_and_waiting_ones_are_not() -> None:
    for days in (89, 91):
        mails.queue(AlertEvent.OPENED, [WORKER], NOW - timedelta(days=days))
    mails.purge(NOW)
    assert AlertMail.objects.count() == 4
    AlertMail.objects.update(next_attempt_at=None)
    mails.purge(NOW)
    assert AlertMail.objects.count() == 2


@pytest.mark.statement("S48")
def test_the_newest_seal_is_sent_once_a_day_if_there_is_a_new_one(manager: Member) -> None:
    mails.queue_newest_seal(NOW)
    assert not AlertMail.objects.exists(), "there is no seal yet"
    for hours, expected in ((0, 2), (1, 2), (25, 4)):
        now = NOW + timedelta(hours=hours)
        log.record("sign in", "ok", member=manager, now=now)
        seals.seal_pending(now)
        mails.queue_newest_seal(now)
        mails.queue_newest_seal(now)
        assert AlertMail.objects.filter(event=AlertEvent.AUDIT).count() == expected
    mails.queue_newest_seal(NOW + timedelta(days=9))
    assert AlertMail.objects.count() == 4, "nothing new"
    message = mails.message(AlertMail.objects.latest("pk"))
    assert message.subject == "Seal 3 of the audit log · Rollbook"
    assert f"\n    rollbook audit check --expect {head.newest()}\n" in str(message.body)
    [(html, _)] = message.alternatives
    assert f"--expect {head.newest()}<" in str(html)
