"""Emails to members about their account: their text, recipients, and when none is sent."""

import re
from collections.abc import Iterator
from datetime import timedelta
from email.utils import parsedate_to_datetime

import pytest
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.db import IntegrityError, transaction
from pytest_django import Settings

from rollbook.accounts import mails, notices, roles
from rollbook.accounts.auth import emailed_links
from rollbook.accounts.models import AccountMail, AccountMailKind, Member, Role
from rollbook.accounts.notices import Notice
from rollbook.accounts.permissions import RoleType
from rollbook.districts.models import District
from rollbook.mail.outbox import MailObsolete
from rollbook.mail.templatetags.mails import plain
from tests.accounts.browser import NOW, Clock
from tests.conftest import make_member
from tests.mail import gallery

MAILS = gallery.ACCOUNTS

_TOKEN = re.compile(r"(?<=/password/)[\w.-]+")

pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def ben(maple: District) -> Member:
    """A member who is invited and has no password."""
    member = make_member(maple, "ben@maple.example", "school manager")
    Member.objects.filter(pk=member.pk).update(
        password=make_password(None), first_name="Ben", last_name="Oz"
    )
    return Member.objects.get(pk=member.pk)


def queued_message(
    member: Member, kind: AccountMailKind, inviter: Member | None = None
) -> EmailMultiAlternatives:
    mails.queue_mail(member, kind, NOW, inviter)
    return mails.message(AccountMail.objects.latest("pk"))


def html_of(message: EmailMultiAlternatives) -> str:
    [(content, kind)] = message.alternatives
    assert kind == "text/html"
    return str(content)


def by_member(ben: Member, manager: Member) -> EmailMultiAlternatives:
    return queued_message(ben, AccountMailKind.INVITATION, manager)


def by_operator(ben: Member, manager: Member) -> EmailMultiAlternatives:
    return queued_message(ben, AccountMailKind.INVITATION)


def forgotten_password(ben: Member, manager: Member) -> EmailMultiAlternatives:
    return queued_message(ben, AccountMailKind.FORGOTTEN_PASSWORD)


def password_changed(ben: Member, manager: Member) -> EmailMultiAlternatives:
    return queued_message(ben, AccountMailKind.PASSWORD_CHANGED)


def email_changed(ben: Member, manager: Member) -> EmailMultiAlternatives:
    mails.queue_mail(ben, AccountMailKind.EMAIL_CHANGED, NOW, manager, to="old@maple.example")
    return mails.message(AccountMail.objects.latest("pk"))


def second_factor_on(ben: Member, manager: Member) -> EmailMultiAlternatives:
    return queued_message(ben, AccountMailKind.SECOND_FACTOR_ON)


def second_factor_on_of_a_manager(ben: Member, manager: Member) -> EmailMultiAlternatives:
    return queued_message(manager, AccountMailKind.SECOND_FACTOR_ON)


def second_factor_off(ben: Member, manager: Member) -> EmailMultiAlternatives:
    return queued_message(ben, AccountMailKind.SECOND_FACTOR_OFF)


def second_factor_off_by_manager(ben: Member, manager: Member) -> EmailMultiAlternatives:
    return queued_message(ben, AccountMailKind.SECOND_FACTOR_OFF, manager)


def token_created(ben: Member, manager: Member) -> EmailMultiAlternatives:
    mails.queue_mail(manager, AccountMailKind.TOKEN_CREATED, NOW, about="<the night's machine>")
    return mails.message(AccountMail.objects.latest("pk"))


def unused_accounts(ben: Member, manager: Member) -> EmailMultiAlternatives:
    return queued_message(manager, AccountMailKind.UNUSED_ACCOUNTS)


def file_missing(ben: Member, manager: Member) -> EmailMultiAlternatives:
    by, last = "2026-11-30T12:00:00+00:00", "2026-11-27T11:12:00+00:00"
    mails.queue_mail(manager, AccountMailKind.FILE_MISSING, NOW, about=by, detail=last)
    return mails.message(AccountMail.objects.latest("pk"))


def file_missing_since_the_beginning(ben: Member, manager: Member) -> EmailMultiAlternatives:
    by = "2026-11-30T12:00:00+00:00"
    mails.queue_mail(manager, AccountMailKind.FILE_MISSING, NOW, about=by)
    return mails.message(AccountMail.objects.latest("pk"))


def pause_begins(ben: Member, manager: Member) -> EmailMultiAlternatives:
    first, last = "2026-12-21", "2027-01-03"
    mails.queue_mail(manager, AccountMailKind.PAUSE_BEGINS, NOW, about=first, detail=last)
    return mails.message(AccountMail.objects.latest("pk"))


def pause_ends(ben: Member, manager: Member) -> EmailMultiAlternatives:
    by = "2027-01-04T12:00:00+00:00"
    mails.queue_mail(manager, AccountMailKind.PAUSE_ENDS, NOW, about=by)
    return mails.message(AccountMail.objects.latest("pk"))


def token_expires(ben: Member, manager: Member) -> EmailMultiAlternatives:
    expires_at = "2026-12-23T14:30:00+00:00"
    name = "<the night's machine>"
    mails.queue_mail(manager, AccountMailKind.TOKEN_EXPIRES, NOW, about=name, detail=expires_at)
    return mails.message(AccountMail.objects.latest("pk"))


def weekly_summary(ben: Member, manager: Member) -> EmailMultiAlternatives:
    kind, figures = AccountMailKind.WEEKLY_SUMMARY, {"updates": 5, "changed": 1283, "added": 1}
    mails.queue_mail(manager, kind, NOW, about="2026-11-23", figures=figures)
    return mails.message(AccountMail.objects.latest("pk"))


def weekly_summary_with_troubles(ben: Member, manager: Member) -> EmailMultiAlternatives:
    figures = {
        "updates": 6,
        "changed": 1,
        "deactivated": 2,
        "rejected": 1252,
        "missing": 1,
        "failed": 1,
        "not_accepted": 2,
        "discarded": 1,
        "canceled": 1,
    }
    kind = AccountMailKind.WEEKLY_SUMMARY
    mails.queue_mail(manager, kind, NOW, about="2026-11-23", figures=figures)
    return mails.message(AccountMail.objects.latest("pk"))


def weekly_summary_without_updates(ben: Member, manager: Member) -> EmailMultiAlternatives:
    kind = AccountMailKind.WEEKLY_SUMMARY
    mails.queue_mail(manager, kind, NOW, about="2026-11-23", figures={"updates": 0})
    return mails.message(AccountMail.objects.latest("pk"))


ALL = {
    write.__name__: write
    for write in (
        by_member,
        by_operator,
        forgotten_password,
        password_changed,
        email_changed,
        second_factor_on,
        second_factor_on_of_a_manager,
        second_factor_off,
        second_factor_off_by_manager,
        token_created,
        unused_accounts,
        file_missing,
        file_missing_since_the_beginning,
        pause_begins,
        pause_ends,
        token_expires,
        weekly_summary,
        weekly_summary_with_troubles,
        weekly_summary_without_updates,
    )
}


@pytest.mark.parametrize("name", ALL)
def test_an_email_has_exactly_this_text(ben: Member, manager: Member, name: str) -> None:
    message = ALL[name](ben, manager)
    kind = AccountMailKind(AccountMail.objects.latest("pk").kind)
    assert name in gallery.OF_ACCOUNTS[kind]
    parts = {"subject": f"{message.subject}\n", "txt": str(message.body), "html": html_of(message)}
    for part, text in parts.items():
        expected = (MAILS / f"{name}.{part}").read_text(encoding="utf-8")
        assert _TOKEN.sub("TOKEN", text) == expected


@pytest.mark.parametrize("kind", emailed_links.LIFETIME)
def test_text_and_html_have_the_same_link_for_the_member(
    ben: Member, kind: AccountMailKind
) -> None:
    message = queued_message(ben, kind)
    [in_text], [in_html] = _TOKEN.findall(str(message.body)), _TOKEN.findall(html_of(message))
    assert in_text == in_html
    assert emailed_links.read_token(in_text) == (ben, kind)


@pytest.mark.parametrize("name", ALL)
def test_all_links_in_an_email_are_to_this_server(
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
    message = queued_message(
        Member.objects.get(pk=ben.pk), AccountMailKind.INVITATION, Member.objects.get(pk=manager.pk)
    )
    assert message.subject == "<img src=x> Ruiz invited you to Rollbook · <b>Maple</b> & Co"
    assert "<b>Maple</b> & Co" in message.body
    assert "&lt;b&gt;Maple&lt;/b&gt; &amp; Co" in html_of(message)
    assert "<img" not in html_of(message)


def test_headers_name_the_member_the_time_and_that_it_is_automatic(ben: Member) -> None:
    sent = queued_message(ben, AccountMailKind.FORGOTTEN_PASSWORD).message()
    assert (sent["To"], sent["From"]) == (ben.email, settings.DEFAULT_FROM_EMAIL)
    assert sent["Auto-Submitted"] == "auto-generated"
    assert parsedate_to_datetime(sent["Date"]) == NOW


def test_an_email_is_sent_once(ben: Member) -> None:
    mails.queue_mail(ben, AccountMailKind.INVITATION, NOW)
    assert [mails.send_due(), mails.send_due()] == [1, 0]
    assert [sent.to for sent in mail.outbox] == [[ben.email]]
    queued = AccountMail.objects.get()
    assert (queued.sent_at, queued.attempts, queued.next_attempt_at, queued.last_error) == (
        NOW,
        1,
        None,
        "",
    )


@pytest.fixture
def unreachable(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Makes the mail server unreachable until it is undone."""

    def fail(message: EmailMultiAlternatives, fail_silently: bool = False) -> int:
        raise ConnectionRefusedError("canary")

    with monkeypatch.context() as patch:
        patch.setattr(EmailMultiAlternatives, "send", fail)
        yield patch


def test_an_email_that_cannot_be_sent_is_retried_with_a_new_link(
    ben: Member, unreachable: pytest.MonkeyPatch, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    mails.queue_mail(ben, AccountMailKind.FORGOTTEN_PASSWORD, NOW)
    mails.send_due()
    queued = AccountMail.objects.get()
    assert (queued.sent_at, queued.next_attempt_at) == (None, NOW + timedelta(seconds=30))
    assert caplog.messages == [
        f"email {queued.pk} (forgotten password) could not be sent (ConnectionRefusedError);"
        " next try in 30 s"
    ]
    unreachable.undo()
    assert mails.send_due() == 0
    clock.move(seconds=30)
    assert mails.send_due() == 1
    [token] = _TOKEN.findall(str(mail.outbox[0].body))
    assert emailed_links.read_token(token) == (ben, AccountMailKind.FORGOTTEN_PASSWORD)


@pytest.mark.usefixtures("unreachable")
def test_there_is_no_retry_after_two_days(ben: Member, clock: Clock) -> None:
    mails.queue_mail(ben, AccountMailKind.INVITATION, NOW)
    clock.move(hours=48)
    mails.send_due()
    queued = AccountMail.objects.get()
    assert (queued.sent_at, queued.next_attempt_at) == (None, None)


def test_each_email_has_its_own_message_id_in_all_attempts(ben: Member) -> None:
    for _ in range(2):
        mails.queue_mail(ben, AccountMailKind.INVITATION, NOW)
    ids = [
        [mails.message(queued).message()["Message-ID"] for queued in AccountMail.objects.all()]
        for _ in range(2)
    ]
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == 2


@pytest.mark.parametrize("kind", AccountMailKind)
def test_inactive_members_get_no_email(ben: Member, kind: AccountMailKind) -> None:
    mails.queue_mail(ben, kind, NOW)
    Member.objects.update(is_active=False)
    assert [mails.send_due(), mails.send_due()] == [1, 0]
    assert mail.outbox == []
    queued = AccountMail.objects.get()
    assert (queued.sent_at, queued.next_attempt_at, queued.last_error) == (
        None,
        None,
        "MailObsolete",
    )


def test_members_with_a_password_get_no_invitation(manager: Member) -> None:
    with pytest.raises(MailObsolete):
        queued_message(manager, AccountMailKind.INVITATION)


def test_the_link_is_not_stored(ben: Member) -> None:
    mails.queue_mail(ben, AccountMailKind.INVITATION, NOW)
    mails.send_due()
    [token] = _TOKEN.findall(str(mail.outbox[0].body))
    stored = str(AccountMail.objects.values())
    assert not any(part in stored for part in token.split(".")[1:])


def test_the_database_rejects_unknown_kinds_of_email(ben: Member) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        AccountMail.objects.create(member=ben, kind="other", queued_at=NOW)


# Emails about a time or day can't name anything else: what is no time isn't rendered.
ABOUT_TIMES = {
    AccountMailKind.FILE_MISSING: ("2026-11-30T12:00:00+00:00", ""),
    AccountMailKind.PAUSE_BEGINS: ("2026-12-21", "2027-01-03"),
    AccountMailKind.PAUSE_ENDS: ("2027-01-04T12:00:00+00:00", ""),
    AccountMailKind.TOKEN_EXPIRES: ("//evil.example:80", "2027-01-04T12:00:00+00:00"),
    AccountMailKind.WEEKLY_SUMMARY: ("2026-11-23", ""),
}


@pytest.mark.statement("S40")
@pytest.mark.parametrize("kind", AccountMailKind)
def test_names_never_become_links(kind: AccountMailKind, ben: Member, manager: Member) -> None:
    """Email programs make links of what looks like an address, also without a scheme."""
    evil = "https://evil.example/a"
    for member in (ben, manager):
        Member.objects.filter(pk=member.pk).update(first_name=evil, last_name="www.evil.example/b")
    District.objects.filter(pk=ben.district_id).update(name="evil.example\\c")
    roles.create_role(manager, RoleType.SCHOOL_MANAGER, "evil．example", "", [])
    Member.objects.filter(pk=ben.pk).update(role=Role.objects.latest("pk"))
    recipient, actor = Member.objects.get(pk=ben.pk), Member.objects.get(pk=manager.pk)
    if kind == AccountMailKind.SECURITY_NOTICE:
        notices.notify(Notice.ROLE_CHANGED, NOW, recipient, by=actor, detail="//evil.example:80")
    else:
        about, detail = ABOUT_TIMES.get(kind, ("//evil.example:80", ""))
        mails.queue_mail(recipient, kind, NOW, actor, about=about, detail=detail)
    message = mails.message(AccountMail.objects.latest("pk"))
    written = f"{message.subject}\n{message.body}\n{html_of(message)}"
    assert "evil" in written
    assert re.findall(r"\S*evil[.．]\S+|[\w/@.]evil|www[.]\S+", written) == []
    links = re.findall(r"[a-z]+://[^\s\"<]+", written)
    assert all(link.startswith(settings.URL) for link in links)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ana O’Brien-Ruiz", "Ana O’Brien-Ruiz"),
        ("St. Mary’s K–8", "St. Mary’s K–8"),
        ("J.R. Smith", "J. R. Smith"),
        ("https://evil.example/x?y=1", "https evil. example/x?y=1"),
        ("www.evil.example", "www. evil. example"),
        ("javascript:alert(1)", "javascript: alert(1)"),
        ("a@evil.example", "a at evil. example"),
        ("evil。example", "evil。 example"),
        ("<b>Maple</b> / Cedar", "<b>Maple</b> / Cedar"),
    ],
)
def test_a_plain_text_has_no_address(text: str, expected: str) -> None:
    assert plain(text) == expected
