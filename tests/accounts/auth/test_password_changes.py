"""Setting, changing and resetting passwords, and what that ends."""

from collections.abc import Callable
from datetime import timedelta
from threading import Barrier, Thread
from unittest import mock

import pytest
from django.contrib.auth.hashers import make_password
from django.core import mail
from django.db import connection

from rollbook.accounts import mails
from rollbook.accounts.auth import emailed_links
from rollbook.accounts.auth.emailed_links import LinkExpired
from rollbook.accounts.auth.password_changes import (
    InvalidPassword,
    change_password,
    request_password_reset,
    set_password,
)
from rollbook.accounts.auth.sign_in import SignInFailed, sign_in
from rollbook.accounts.auth.throttle import MAX_REQUESTS_PER_ADDRESS, RateLimited
from rollbook.accounts.models import (
    AccountMail,
    AccountMailKind,
    AuditEvent,
    Member,
    PasswordRequest,
    Session,
    SignInFailure,
)
from tests.accounts.browser import HERE, NOW, Browser
from tests.conftest import PASSWORD, make_district, make_member

NEW = "plum river candle fox"


@pytest.fixture
def invited(manager: Member) -> Member:
    Member.objects.update(password=make_password(None))
    return Member.objects.get()


def kinds() -> list[str]:
    return list(AccountMail.objects.order_by("pk").values_list("kind", flat=True))


def stored() -> Member:
    return Member.objects.get()


def test_the_new_password_signs_in_and_the_old_one_does_not(manager: Member) -> None:
    sign_in(manager.email, PASSWORD, HERE, NOW)  # now in the cache
    set_password(manager, NEW + "\n", NOW)
    assert sign_in(manager.email, NEW, HERE, NOW) == manager
    with pytest.raises(SignInFailed):
        sign_in(manager.email, PASSWORD, HERE, NOW)


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("short", "it is shorter than 15 characters: a few words in a row are easy to remember"),
        ("x" * 1025, "it is longer than 1,024 bytes"),
        ("passwordpasswordpassword", "it is a common password that attackers try first"),
        ("ops@maple.example 77", "it contains 'ops@maple.example'"),
        ("Ruiz is my last name", "it contains 'Ruiz'"),
        ("my maple-usd password", "it contains 'Maple USD'"),
        ("rollbook for students", "it contains 'rollbook'"),
    ],
)
def test_guessable_passwords_are_rejected_with_a_reason(
    manager: Member, password: str, reason: str
) -> None:
    with pytest.raises(InvalidPassword) as caught:
        set_password(manager, password, NOW)
    assert any(each.startswith(reason) for each in caught.value.reasons)
    assert stored().password == manager.password
    assert not AccountMail.objects.exists()


def test_fifteen_lower_case_characters_are_enough(manager: Member) -> None:
    set_password(manager, "aquickbrownfoxj", NOW)
    assert sign_in(manager.email, "aquickbrownfoxj", HERE, NOW)


def test_a_new_password_ends_all_sessions_of_the_member_only(
    manager: Member, neighbor: Member
) -> None:
    here, phone, theirs = Browser(), Browser(), Browser()
    for browser, member in ((here, manager), (phone, manager), (theirs, neighbor)):
        browser.sign_in(member)
    set_password(manager, NEW, NOW)
    assert list(Session.objects.values_list("member", flat=True)) == [neighbor.pk]
    assert [here.member(), phone.member(), theirs.member()] == [None, None, neighbor]


def test_a_session_can_begin_with_the_same_member_object(manager: Member) -> None:
    browser = Browser()
    set_password(manager, NEW, NOW)
    browser.sign_in(manager)
    assert browser.member() == manager


def test_a_new_password_invalidates_all_links(manager: Member) -> None:
    tokens = [emailed_links.make_token(manager, kind) for kind in emailed_links.LIFETIME]
    set_password(manager, NEW, NOW)
    for token in tokens:
        with pytest.raises(LinkExpired):
            emailed_links.read_token(token)


def test_queued_emails_with_links_are_not_sent(invited: Member) -> None:
    mails.queue_mail(invited, AccountMailKind.INVITATION, NOW)
    mails.queue_mail(invited, AccountMailKind.FORGOTTEN_PASSWORD, NOW)
    set_password(invited, NEW, NOW)
    assert mails.send_due() == 0
    assert mail.outbox == []


def test_an_email_is_sent_for_a_change_but_not_the_first_password(invited: Member) -> None:
    set_password(invited, NEW, NOW)
    assert kinds() == []
    set_password(invited, PASSWORD, NOW)
    assert kinds() == ["password changed"]


def test_one_link_sets_one_password(manager: Member) -> None:
    token = emailed_links.make_token(manager, AccountMailKind.FORGOTTEN_PASSWORD)
    (first, _), (second, _) = emailed_links.read_token(token), emailed_links.read_token(token)
    set_password(first, NEW, NOW)
    with pytest.raises(InvalidPassword, match="it was changed a moment ago"):
        set_password(second, "something else of theirs", NOW)
    assert sign_in(manager.email, NEW, HERE, NOW)
    assert kinds() == ["password changed"]


def test_an_inactive_member_cannot_set_a_password(manager: Member) -> None:
    Member.objects.update(is_active=False)
    with pytest.raises(InvalidPassword):
        set_password(manager, NEW, NOW)


def test_nothing_changes_if_the_email_cannot_be_queued(
    manager: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = Browser()
    browser.sign_in(manager)
    monkeypatch.setattr(mails, "queue_mail", mock.Mock(side_effect=RuntimeError))
    with pytest.raises(RuntimeError):
        set_password(manager, NEW, NOW)
    assert browser.member() == manager
    assert sign_in(manager.email, PASSWORD, HERE, NOW)


def test_setting_a_password_is_audited_without_it(invited: Member) -> None:
    set_password(invited, NEW, NOW, address=HERE, agent="Firefox")
    set_password(invited, PASSWORD, NOW)
    events = AuditEvent.objects.order_by("pk")
    assert [(event.action, event.result, event.member) for event in events] == [
        ("set password", "first", invited),
        ("set password", "changed", invited),
    ]
    assert (events[0].address, events[0].agent) == (HERE, "Firefox")
    assert NEW not in str(events.values())


def test_the_password_can_be_changed_with_the_old_one(manager: Member) -> None:
    member = change_password(manager, PASSWORD, NEW, HERE, NOW)
    assert sign_in(manager.email, NEW, HERE, NOW) == member == manager
    browser = Browser()
    browser.sign_in(member)
    assert browser.member() == manager


def test_wrong_old_passwords_count_as_failed_sign_ins(manager: Member) -> None:
    for _ in range(10):
        with pytest.raises(SignInFailed):
            change_password(manager, "not the old password", NEW, HERE, NOW)
    assert SignInFailure.objects.count() == 10
    with pytest.raises(RateLimited):
        change_password(manager, PASSWORD, NEW, HERE, NOW)
    assert stored().password == manager.password


def test_a_reset_request_sends_an_email(manager: Member) -> None:
    request_password_reset(" OPS@Maple.Example ", HERE, NOW)
    assert kinds() == ["forgotten password"]
    mails.send_due()
    assert [sent.to for sent in mail.outbox] == [[manager.email]]


def test_an_invited_member_can_request_a_reset(invited: Member) -> None:
    request_password_reset(invited.email, HERE, NOW)
    mails.send_due()
    assert len(mail.outbox) == 1


@pytest.mark.parametrize(
    "login", ["nobody@maple.example", "", "a\0b", "x" * 5000, "ops@maple.example\nx@y.example"]
)
def test_no_email_is_sent_for_an_unknown_login(manager: Member, login: str) -> None:
    request_password_reset(login, HERE, NOW)
    assert kinds() == []


def test_no_email_is_sent_to_an_inactive_member(manager: Member) -> None:
    Member.objects.update(is_active=False)
    request_password_reset(manager.email, HERE, NOW)
    assert kinds() == []


def test_no_second_email_is_sent_within_five_minutes(manager: Member) -> None:
    for seconds in (0, 1, 299, 300, 301):
        request_password_reset(manager.email, HERE, NOW + timedelta(seconds=seconds))
    assert kinds() == ["forgotten password"] * 2


def test_two_members_can_request_resets_from_one_address(manager: Member, neighbor: Member) -> None:
    request_password_reset(manager.email, HERE, NOW)
    request_password_reset(neighbor.email, HERE, NOW)
    assert {queued.member for queued in AccountMail.objects.all()} == {manager, neighbor}


@pytest.mark.parametrize("login", ["ops@maple.example", "nobody@maple.example"])
def test_an_address_can_request_twenty_resets_an_hour(manager: Member, login: str) -> None:
    for number in range(MAX_REQUESTS_PER_ADDRESS):
        request_password_reset(f"{number}@maple.example", HERE, NOW)
    with pytest.raises(RateLimited) as caught:
        request_password_reset(login, HERE, NOW + timedelta(minutes=20))
    assert caught.value.retry_after == 40 * 60
    request_password_reset(login, "203.0.113.8", NOW + timedelta(minutes=20))
    request_password_reset(login, HERE, NOW + timedelta(minutes=60))
    assert PasswordRequest.objects.count() == MAX_REQUESTS_PER_ADDRESS + 2


def test_reset_requests_do_not_count_as_failed_sign_ins(manager: Member) -> None:
    for _ in range(MAX_REQUESTS_PER_ADDRESS):
        request_password_reset(manager.email, HERE, NOW)
    assert sign_in(manager.email, PASSWORD, HERE, NOW)


def test_old_requests_are_removed(manager: Member) -> None:
    request_password_reset(manager.email, HERE, NOW)
    request_password_reset(manager.email, HERE, NOW + timedelta(minutes=61))
    assert PasswordRequest.objects.count() == 1


@pytest.mark.parametrize(
    ("login", "is_known"), [("ops@maple.example", True), ("secret@maple.example", False)]
)
def test_a_reset_request_is_audited_with_the_member_but_not_the_login(
    manager: Member, login: str, is_known: bool
) -> None:
    request_password_reset(login, HERE, NOW, "Firefox")
    event = AuditEvent.objects.get()
    assert (event.action, event.result, event.address) == ("request password reset", "ok", HERE)
    assert event.member == (manager if is_known else None)
    assert "secret" not in str(AuditEvent.objects.values())


@pytest.mark.django_db(transaction=True)
def test_concurrent_reset_requests_send_one_email() -> None:
    manager = make_member(make_district("Maple USD"), "ops@maple.example")
    _run_concurrently(5, lambda: request_password_reset(manager.email, HERE, NOW))
    assert (AccountMail.objects.count(), PasswordRequest.objects.count()) == (1, 5)


@pytest.mark.django_db(transaction=True)
def test_one_of_several_concurrent_uses_of_a_link_succeeds() -> None:
    manager = make_member(make_district("Maple USD"), "ops@maple.example")
    token = emailed_links.make_token(manager, AccountMailKind.FORGOTTEN_PASSWORD)
    holders = [emailed_links.read_token(token)[0] for _ in range(4)]
    passwords: list[str] = []

    def use() -> None:
        member = holders.pop()
        password = f"plum river candle fox {len(holders)}"
        try:
            set_password(member, password, NOW)
            passwords.append(password)
        except InvalidPassword:
            pass

    _run_concurrently(4, use)
    [password] = passwords
    assert sign_in(manager.email, password, HERE, NOW) == manager


def _run_concurrently(count: int, work: Callable[[], object]) -> None:
    start = Barrier(count)

    def run() -> None:
        start.wait()
        try:
            work()
        finally:
            connection.close()

    threads = [Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
