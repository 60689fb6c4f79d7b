"""Result emails over a real SMTP server that accepts, defers, rejects, disconnects or is down."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from aiosmtpd.controller import Controller
from django.utils import timezone
from pytest_django import Settings

from rollbook.accounts.models import Member
from rollbook.districts.models import District
from rollbook.updates import mails
from rollbook.updates.models import ResultMail
from tests.post_office import CUT, HANG, PostOffice, a_free_port
from tests.updates.night import a_class, enroll, finish, send


@pytest.fixture
def post_office(settings: Settings) -> Iterator[PostOffice]:
    """Start an SMTP server and point the settings to it."""
    office = PostOffice(a_free_port())
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", office.port, 5
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    controller = Controller(office, hostname="127.0.0.1", port=office.port)
    controller.start()
    yield office
    controller.stop()


@pytest.fixture
def queued_mail(maple: District, manager: Member) -> ResultMail:
    """Return an email that is due."""
    enroll(maple, a_class(2))
    finish(send(maple, a_class(2, FIRST_NAME="Zo\u00eb{0}"), member=manager))
    mails.queue_result_mails()
    return ResultMail.objects.get()


def seconds_to_next_attempt(queued_mail: ResultMail) -> float | None:
    queued_mail.refresh_from_db()
    if queued_mail.next_attempt_at is None:
        return None
    return round((queued_mail.next_attempt_at - timezone.now()).total_seconds())


def make_due(queued_mail: ResultMail, *, queued_ago: timedelta = timedelta()) -> None:
    """Make the email due, as if it had been queued that long ago."""
    now = timezone.now()
    ResultMail.objects.filter(pk=queued_mail.pk).update(
        next_attempt_at=now, queued_at=now - queued_ago
    )


def test_a_mail_is_delivered(
    post_office: PostOffice, queued_mail: ResultMail, manager: Member
) -> None:
    assert mails.send_due() == 1
    [received] = post_office.received
    assert post_office.recipients == [manager.email]
    assert received["Subject"] == "2 students changed · Maple USD update 2"
    assert received["Auto-Submitted"] == "auto-generated"
    parts = {part.get_content_type(): part.get_content() for part in received.iter_parts()}
    assert set(parts) == {"text/plain", "text/html"}
    assert "Student update 2 for Maple USD finished" in parts["text/plain"]
    queued_mail.refresh_from_db()
    assert (queued_mail.attempts, queued_mail.next_attempt_at, queued_mail.last_error) == (
        1,
        None,
        "",
    )
    assert queued_mail.sent_at is not None
    assert mails.send_due() == 0


@pytest.mark.parametrize(
    ("command", "answer", "error"),
    [
        ("RCPT", "450 greylisted, come again", "SMTPRecipientsRefused 450"),
        ("MAIL", "451 busy", "SMTPSenderRefused 451"),
        ("DATA", "452 disk full", "SMTPDataError 452"),
        ("MAIL", "530 authentication required", "SMTPSenderRefused 530"),
        ("MAIL", "550 we do not know you", "SMTPSenderRefused 550"),
    ],
)
def test_a_deferred_mail_is_delivered_later(
    post_office: PostOffice, queued_mail: ResultMail, command: str, answer: str, error: str
) -> None:
    post_office.answers = {command: answer}
    mails.send_due()
    assert seconds_to_next_attempt(queued_mail) in (29, 30)
    assert (queued_mail.sent_at, queued_mail.attempts, queued_mail.last_error) == (None, 1, error)
    assert mails.send_due() == 0
    post_office.answers = {}
    make_due(queued_mail)
    mails.send_due()
    queued_mail.refresh_from_db()
    assert (queued_mail.attempts, queued_mail.next_attempt_at, queued_mail.last_error) == (
        2,
        None,
        "",
    )
    assert len(post_office.received) == 1


@pytest.mark.parametrize(
    ("command", "answer", "error"),
    [
        ("RCPT", "550 no such user canary", "SMTPRecipientsRefused 550"),
        ("DATA", "554 no canary", "SMTPDataError 554"),
    ],
)
def test_a_permanently_rejected_mail_is_given_up_and_its_code_is_stored(
    post_office: PostOffice,
    queued_mail: ResultMail,
    command: str,
    answer: str,
    error: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    post_office.answers = {command: answer}
    mails.send_due()
    queued_mail.refresh_from_db()
    assert (queued_mail.sent_at, queued_mail.next_attempt_at, queued_mail.last_error) == (
        None,
        None,
        error,
    )
    [logged] = [
        record.getMessage() for record in caplog.records if record.name.startswith("rollbook")
    ]
    assert logged == f"email {queued_mail.pk} of update 2 could not be sent ({error}); given up"
    assert mails.send_due() == 0


def test_a_hanging_server_is_abandoned_after_the_timeout(
    post_office: PostOffice, queued_mail: ResultMail, settings: Settings
) -> None:
    settings.EMAIL_TIMEOUT = 0.3
    post_office.answers = {"DATA": HANG}
    begun = timezone.now()
    mails.send_due()
    assert timezone.now() - begun < timedelta(seconds=1.5)
    assert seconds_to_next_attempt(queued_mail) in (29, 30)
    assert queued_mail.last_error == "SMTPServerDisconnected"


def test_a_connection_lost_after_the_mail_may_deliver_it_twice_with_one_id(
    post_office: PostOffice, queued_mail: ResultMail
) -> None:
    post_office.answers = {"DATA": CUT}
    mails.send_due()
    queued_mail.refresh_from_db()
    assert queued_mail.sent_at is None
    post_office.answers = {}
    make_due(queued_mail)
    mails.send_due()
    queued_mail.refresh_from_db()
    assert queued_mail.sent_at is not None
    first, second = post_office.received
    assert first["Message-ID"] == second["Message-ID"]


def test_an_unavailable_server_is_tried_less_and_less_often(
    post_office: PostOffice, queued_mail: ResultMail, settings: Settings
) -> None:
    settings.EMAIL_PORT = a_free_port()
    pauses = []
    for _ in range(9):
        make_due(queued_mail)
        mails.send_due()
        pause = seconds_to_next_attempt(queued_mail)
        assert pause is not None
        pauses.append(round(pause, -1))
    assert pauses == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
    assert queued_mail.last_error == "ConnectionRefusedError"
    settings.EMAIL_PORT = post_office.port
    make_due(queued_mail)
    mails.send_due()
    assert len(post_office.received) == 1


def test_a_mail_is_given_up_after_two_days(
    post_office: PostOffice,
    queued_mail: ResultMail,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings.EMAIL_PORT = a_free_port()
    make_due(queued_mail, queued_ago=timedelta(hours=47, minutes=59))
    mails.send_due()
    assert seconds_to_next_attempt(queued_mail) in (29, 30)
    make_due(queued_mail, queued_ago=timedelta(hours=48))
    mails.send_due()
    queued_mail.refresh_from_db()
    assert (queued_mail.sent_at, queued_mail.next_attempt_at) == (None, None)
    assert "given up" in caplog.text


def test_a_mail_that_fails_does_not_block_the_next(
    post_office: PostOffice,
    queued_mail: ResultMail,
    settings: Settings,
    cedar: District,
    neighbor: Member,
) -> None:
    Member.objects.filter(pk=queued_mail.member_id).update(email="broken@@\u00fc..example")
    enroll(cedar, a_class(1))
    finish(send(cedar, a_class(1, GRADE="7"), member=neighbor))
    mails.queue_result_mails()
    assert mails.send_due() == 2
    assert post_office.recipients == [neighbor.email]
