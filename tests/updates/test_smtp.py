"""Letters over a real SMTP server: delivered, put off, refused, cut off, away."""

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
    """It is open, and the settings name it."""
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
def letter(maple: District, manager: Member) -> ResultMail:
    """One that is due."""
    enroll(maple, a_class(2))
    finish(send(maple, a_class(2, FIRST_NAME="Zo\u00eb{0}"), member=manager))
    mails.queue_result_mails()
    return ResultMail.objects.get()


def seconds_to_next_try(letter: ResultMail) -> float | None:
    letter.refresh_from_db()
    return (
        round((letter.next_attempt_at - timezone.now()).total_seconds())
        if letter.next_attempt_at
        else None
    )


def make_due(letter: ResultMail, *, written: timedelta = timedelta()) -> None:
    """As if the time had come, and the letter had been written that long ago."""
    now = timezone.now()
    ResultMail.objects.filter(pk=letter.pk).update(next_attempt_at=now, queued_at=now - written)


def test_a_letter_is_delivered(
    post_office: PostOffice, letter: ResultMail, manager: Member
) -> None:
    assert mails.send_due() == 1
    [received] = post_office.received
    assert post_office.recipients == [manager.email]
    assert received["Subject"] == "[Maple USD] Student update 2 completed: 2 updated"
    assert received["Auto-Submitted"] == "auto-generated"
    parts = {part.get_content_type(): part.get_content() for part in received.iter_parts()}
    assert set(parts) == {"text/plain", "text/html"}
    assert "Student update 2 of Maple USD is complete" in parts["text/plain"]
    letter.refresh_from_db()
    assert (letter.attempts, letter.next_attempt_at, letter.last_error) == (1, None, "")
    assert letter.sent_at is not None
    assert mails.send_due() == 0


@pytest.mark.parametrize(
    ("where", "answer", "named"),
    [
        ("RCPT", "450 greylisted, come again", "SMTPRecipientsRefused 450"),
        ("MAIL", "451 busy", "SMTPSenderRefused 451"),
        ("DATA", "452 disk full", "SMTPDataError 452"),
        ("MAIL", "530 authentication required", "SMTPSenderRefused 530"),
        ("MAIL", "550 we do not know you", "SMTPSenderRefused 550"),
    ],
)
def test_a_letter_that_is_put_off_is_delivered_later(
    post_office: PostOffice, letter: ResultMail, where: str, answer: str, named: str
) -> None:
    post_office.answers = {where: answer}
    mails.send_due()
    assert seconds_to_next_try(letter) in (29, 30)
    assert (letter.sent_at, letter.attempts, letter.last_error) == (None, 1, named)
    assert mails.send_due() == 0
    post_office.answers = {}
    make_due(letter)
    mails.send_due()
    letter.refresh_from_db()
    assert (letter.attempts, letter.next_attempt_at, letter.last_error) == (2, None, "")
    assert len(post_office.received) == 1


@pytest.mark.parametrize(
    ("where", "answer", "named"),
    [
        ("RCPT", "550 no such user canary", "SMTPRecipientsRefused 550"),
        ("DATA", "554 no canary", "SMTPDataError 554"),
    ],
)
def test_a_letter_that_is_refused_for_good_is_given_up_and_the_code_is_kept(
    post_office: PostOffice,
    letter: ResultMail,
    where: str,
    answer: str,
    named: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    post_office.answers = {where: answer}
    mails.send_due()
    letter.refresh_from_db()
    assert (letter.sent_at, letter.next_attempt_at, letter.last_error) == (None, None, named)
    [logged] = [
        record.getMessage() for record in caplog.records if record.name.startswith("rollbook")
    ]
    assert logged == f"email {letter.pk} of update 2 could not be sent ({named}); given up"
    assert mails.send_due() == 0


def test_a_server_that_hangs_is_waited_for_no_longer_than_the_timeout(
    post_office: PostOffice, letter: ResultMail, settings: Settings
) -> None:
    settings.EMAIL_TIMEOUT = 0.3
    post_office.answers = {"DATA": HANG}
    begun = timezone.now()
    mails.send_due()
    assert timezone.now() - begun < timedelta(seconds=1.5)
    assert seconds_to_next_try(letter) in (29, 30)
    assert letter.last_error == "SMTPServerDisconnected"


def test_a_line_cut_after_the_letter_may_bring_it_twice_under_one_id(
    post_office: PostOffice, letter: ResultMail
) -> None:
    post_office.answers = {"DATA": CUT}
    mails.send_due()
    letter.refresh_from_db()
    assert letter.sent_at is None
    post_office.answers = {}
    make_due(letter)
    mails.send_due()
    letter.refresh_from_db()
    assert letter.sent_at is not None
    first, second = post_office.received
    assert first["Message-ID"] == second["Message-ID"]


def test_a_server_that_is_away_is_asked_less_and_less_often(
    post_office: PostOffice, letter: ResultMail, settings: Settings
) -> None:
    settings.EMAIL_PORT = a_free_port()
    pauses = []
    for _ in range(9):
        make_due(letter)
        mails.send_due()
        pause = seconds_to_next_try(letter)
        assert pause is not None
        pauses.append(round(pause, -1))
    assert pauses == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
    assert letter.last_error == "ConnectionRefusedError"
    settings.EMAIL_PORT = post_office.port
    make_due(letter)
    mails.send_due()
    assert len(post_office.received) == 1


def test_a_server_that_is_away_for_two_days_is_given_up(
    post_office: PostOffice,
    letter: ResultMail,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings.EMAIL_PORT = a_free_port()
    make_due(letter, written=timedelta(hours=47, minutes=59))
    mails.send_due()
    assert seconds_to_next_try(letter) in (29, 30)
    make_due(letter, written=timedelta(hours=48))
    mails.send_due()
    letter.refresh_from_db()
    assert (letter.sent_at, letter.next_attempt_at) == (None, None)
    assert "given up" in caplog.text


def test_one_letter_that_fails_does_not_hold_up_the_next(
    post_office: PostOffice,
    letter: ResultMail,
    settings: Settings,
    cedar: District,
    neighbour: Member,
) -> None:
    Member.objects.filter(pk=letter.member_id).update(email="broken@@\u00fc..example")
    enroll(cedar, a_class(1))
    finish(send(cedar, a_class(1, GRADE="7"), member=neighbour))
    mails.queue_result_mails()
    assert mails.send_due() == 2
    assert post_office.recipients == [neighbour.email]
