"""Letters to members about their own access: with which words, to whom, and when not."""

import re
from collections.abc import Iterator
from datetime import timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.db import IntegrityError, transaction
from pytest_django import Settings

from rollbook.accounts import mails
from rollbook.accounts.auth import emailed_links
from rollbook.accounts.models import AccountMail, AccountMailKind, Member
from rollbook.districts.models import District
from rollbook.mail.outbox import MailObsolete
from tests.accounts.browser import NOW, Clock
from tests.conftest import a_member

MAILS = Path(__file__).parent / "mails"

_TOKEN = re.compile(r"(?<=/password/)[\w.-]+")

pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def ben(maple: District) -> Member:
    """One who is invited."""
    member = a_member(maple, "ben@maple.example", "school manager")
    Member.objects.filter(pk=member.pk).update(
        password=make_password(None), first_name="Ben", last_name="Oz"
    )
    return Member.objects.get(pk=member.pk)


def written(
    member: Member, kind: AccountMailKind, inviter: Member | None = None
) -> EmailMultiAlternatives:
    mails.queue_mail(member, kind, NOW, inviter)
    return mails.message(AccountMail.objects.latest("pk"))


def html_of(message: EmailMultiAlternatives) -> str:
    [(content, kind)] = message.alternatives
    assert kind == "text/html"
    return str(content)


def by_member(ben: Member, manager: Member) -> EmailMultiAlternatives:
    return written(ben, AccountMailKind.INVITATION, manager)


def by_operator(ben: Member, manager: Member) -> EmailMultiAlternatives:
    return written(ben, AccountMailKind.INVITATION)


def forgotten_password(ben: Member, manager: Member) -> EmailMultiAlternatives:
    return written(ben, AccountMailKind.FORGOTTEN_PASSWORD)


def password_changed(ben: Member, manager: Member) -> EmailMultiAlternatives:
    return written(ben, AccountMailKind.PASSWORD_CHANGED)


def second_factor_on(ben: Member, manager: Member) -> EmailMultiAlternatives:
    return written(ben, AccountMailKind.SECOND_FACTOR_ON)


def second_factor_on_of_a_manager(ben: Member, manager: Member) -> EmailMultiAlternatives:
    return written(manager, AccountMailKind.SECOND_FACTOR_ON)


def second_factor_off(ben: Member, manager: Member) -> EmailMultiAlternatives:
    return written(ben, AccountMailKind.SECOND_FACTOR_OFF)


def second_factor_off_by_manager(ben: Member, manager: Member) -> EmailMultiAlternatives:
    return written(ben, AccountMailKind.SECOND_FACTOR_OFF, manager)


def token_created(ben: Member, manager: Member) -> EmailMultiAlternatives:
    mails.queue_mail(manager, AccountMailKind.TOKEN_CREATED, NOW, about="<the night's machine>")
    return mails.message(AccountMail.objects.latest("pk"))


ALL = {
    write.__name__: write
    for write in (
        by_member,
        by_operator,
        forgotten_password,
        password_changed,
        second_factor_on,
        second_factor_on_of_a_manager,
        second_factor_off,
        second_factor_off_by_manager,
        token_created,
    )
}


@pytest.mark.parametrize("name", ALL)
def test_a_letter_has_these_very_words(ben: Member, manager: Member, name: str) -> None:
    message = ALL[name](ben, manager)
    found = {"subject": f"{message.subject}\n", "txt": str(message.body), "html": html_of(message)}
    found = {part: _TOKEN.sub("TOKEN", text) for part, text in found.items()}
    assert found == {part: (MAILS / f"{name}.{part}").read_text(encoding="utf-8") for part in found}


@pytest.mark.parametrize("kind", emailed_links.LIFETIME)
def test_its_link_is_the_members_and_the_same_in_both_forms(
    ben: Member, kind: AccountMailKind
) -> None:
    message = written(ben, kind)
    [in_text], [in_html] = _TOKEN.findall(str(message.body)), _TOKEN.findall(html_of(message))
    assert in_text == in_html
    assert emailed_links.read(in_text) == (ben, kind)


@pytest.mark.parametrize("name", ALL)
def test_a_letter_leads_to_this_server_and_to_no_other(
    ben: Member, manager: Member, name: str, settings: Settings
) -> None:
    settings.URL = "https://rollbook.maple.example"
    message = ALL[name](ben, manager)
    for text in (message.body, html_of(message)):
        assert text.count("http") == text.count("https://rollbook.maple.example/")
    assert message.message()["Message-ID"].endswith("@rollbook.maple.example>")


def test_names_that_look_like_html_are_shown_as_they_are(ben: Member, manager: Member) -> None:
    District.objects.update(name="<b>Maple</b> & Co")
    Member.objects.filter(pk=manager.pk).update(first_name="<img src=x>")
    message = written(
        Member.objects.get(pk=ben.pk), AccountMailKind.INVITATION, Member.objects.get(pk=manager.pk)
    )
    assert message.subject == "[<b>Maple</b> & Co] <img src=x> Ruiz invites you to Rollbook"
    assert "<b>Maple</b> & Co" in message.body
    assert "&lt;b&gt;Maple&lt;/b&gt; &amp; Co" in html_of(message)
    assert "<img" not in html_of(message)


def test_a_letter_goes_to_its_member_and_says_that_a_machine_wrote_it_and_when(ben: Member) -> None:
    sent = written(ben, AccountMailKind.FORGOTTEN_PASSWORD).message()
    assert (sent["To"], sent["From"]) == (ben.email, settings.DEFAULT_FROM_EMAIL)
    assert sent["Auto-Submitted"] == "auto-generated"
    assert parsedate_to_datetime(sent["Date"]) == NOW


def test_a_letter_is_sent_once(ben: Member) -> None:
    mails.queue_mail(ben, AccountMailKind.INVITATION, NOW)
    assert [mails.send_due(), mails.send_due()] == [1, 0]
    assert [sent.to for sent in mail.outbox] == [[ben.email]]
    letter = AccountMail.objects.get()
    assert (letter.sent_at, letter.attempts, letter.next_attempt_at, letter.last_error) == (
        NOW,
        1,
        None,
        "",
    )


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """The mail server, until this is undone."""

    def fail(message: EmailMultiAlternatives, fail_silently: bool = False) -> int:
        raise ConnectionRefusedError("canary")

    with monkeypatch.context() as patch:
        patch.setattr(EmailMultiAlternatives, "send", fail)
        yield patch


def test_a_letter_that_cannot_be_sent_is_tried_again_with_a_link_that_is_good_from_then_on(
    ben: Member, away: pytest.MonkeyPatch, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    mails.queue_mail(ben, AccountMailKind.FORGOTTEN_PASSWORD, NOW)
    mails.send_due()
    letter = AccountMail.objects.get()
    assert (letter.sent_at, letter.next_attempt_at) == (None, NOW + timedelta(seconds=30))
    assert caplog.messages == [
        f"email {letter.pk} (forgotten password) could not be sent (ConnectionRefusedError); next try in 30 s"
    ]
    away.undo()
    assert mails.send_due() == 0
    clock.move(seconds=30)
    assert mails.send_due() == 1
    [token] = _TOKEN.findall(str(mail.outbox[0].body))
    assert emailed_links.read(token) == (ben, AccountMailKind.FORGOTTEN_PASSWORD)


@pytest.mark.usefixtures("away")
def test_after_two_days_it_is_given_up(ben: Member, clock: Clock) -> None:
    mails.queue_mail(ben, AccountMailKind.INVITATION, NOW)
    clock.move(hours=48)
    mails.send_due()
    letter = AccountMail.objects.get()
    assert (letter.sent_at, letter.next_attempt_at) == (None, None)


def test_the_message_id_is_the_same_at_every_try_and_another_for_every_letter(ben: Member) -> None:
    for _ in range(2):
        mails.queue_mail(ben, AccountMailKind.INVITATION, NOW)
    ids = [
        [mails.message(letter).message()["Message-ID"] for letter in AccountMail.objects.all()]
        for _ in range(2)
    ]
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == 2


@pytest.mark.parametrize("kind", AccountMailKind)
def test_who_is_not_active_any_more_gets_none(ben: Member, kind: AccountMailKind) -> None:
    mails.queue_mail(ben, kind, NOW)
    Member.objects.update(is_active=False)
    assert [mails.send_due(), mails.send_due()] == [1, 0]
    assert mail.outbox == []
    letter = AccountMail.objects.get()
    assert (letter.sent_at, letter.next_attempt_at, letter.last_error) == (
        None,
        None,
        "MailObsolete",
    )


def test_who_has_a_password_needs_no_invitation(manager: Member) -> None:
    with pytest.raises(MailObsolete):
        written(manager, AccountMailKind.INVITATION)


def test_nothing_that_opens_anything_is_kept_of_a_letter(ben: Member) -> None:
    mails.queue_mail(ben, AccountMailKind.INVITATION, NOW)
    mails.send_due()
    [token] = _TOKEN.findall(str(mail.outbox[0].body))
    kept = str(AccountMail.objects.values())
    assert not any(part in kept for part in token.split(".")[1:])


def test_the_database_takes_no_letter_about_anything_else(ben: Member) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        AccountMail.objects.create(member=ben, kind="other", queued_at=NOW)
