"""Browser sessions: how long they last, and what ends them."""

from collections.abc import Callable

import pytest
from django.contrib.auth.hashers import make_password
from django.contrib.sessions.exceptions import SessionInterrupted
from django.db import connection
from django.http import HttpRequest
from django.test.utils import CaptureQueriesContext

from rollbook.accounts.auth import sessions
from rollbook.accounts.auth.password_hasher import Argon2id
from rollbook.accounts.auth.sign_in import sign_in
from rollbook.accounts.models import AuditEvent, Member, Session
from tests.accounts.browser import HERE, NOW, Browser, Clock
from tests.conftest import PASSWORD

pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def browser(manager: Member) -> Browser:
    """A browser in which the manager is signed in."""
    browser = Browser()
    browser.sign_in(manager)
    return browser


def active_sessions(member: Member, browser: Browser) -> list[sessions.ActiveSession]:
    return browser.ask(lambda request: sessions.active_sessions(member, request))


def test_the_session_loads_the_member_with_the_district(browser: Browser, manager: Member) -> None:
    member = browser.member()
    assert member == manager
    with CaptureQueriesContext(connection) as queries:
        assert member is not None
        assert member.district.name == "Maple USD"
    assert len(queries) == 0


def test_without_sign_in_there_is_no_member_and_no_row(db: None) -> None:
    browser = Browser()
    assert browser.member() is None
    assert browser.cookies == {}
    assert not Session.objects.exists()


def test_a_made_up_key_is_not_used(manager: Member) -> None:
    browser = Browser()
    browser.cookies["__Host-session"] = planted = "a" * 32
    assert browser.member() is None
    browser.cookies["__Host-session"] = planted
    browser.sign_in(manager)
    assert browser.key != planted
    assert browser.member() == manager


def test_signing_in_again_replaces_the_key(browser: Browser, manager: Member) -> None:
    old = Browser()
    old.cookies = dict(browser.cookies)
    browser.sign_in(manager)
    assert browser.key != old.key
    assert (browser.member(), old.member()) == (manager, None)
    assert Session.objects.count() == 1


def test_signing_in_as_another_member_clears_the_session(
    browser: Browser, neighbor: Member
) -> None:
    browser.ask(lambda request: request.session.__setitem__("note", "of the first member"))
    browser.sign_in(neighbor)
    assert browser.member() == neighbor
    assert browser.ask(lambda request: request.session.get("note")) is None


def test_the_stored_key_does_not_open_the_session(browser: Browser) -> None:
    row = Session.objects.values().get()
    assert len(browser.key) == 32
    assert browser.key not in str(row)
    thief = Browser()
    thief.cookies["__Host-session"] = row["session_key"]
    assert thief.member() is None


def test_it_ends_after_half_an_hour_without_requests(browser: Browser, clock: Clock) -> None:
    clock.move(minutes=29, seconds=59)
    assert browser.member()
    clock.move(minutes=30)
    assert browser.member() is None
    assert browser.cookies == {}


def test_it_ends_after_twelve_hours_despite_requests(browser: Browser, clock: Clock) -> None:
    for _ in range(12 * 60 // 20 - 1):
        clock.move(minutes=20)
        assert browser.member()
    clock.move(minutes=19, seconds=59)
    assert browser.member()
    clock.move(seconds=1)
    assert browser.member() is None


def test_storing_data_does_not_extend_it(browser: Browser, clock: Clock) -> None:
    for _ in range(12 * 60 // 20):
        clock.move(minutes=20)
        browser.ask(lambda request: request.session.__setitem__("note", "something"))
    assert browser.member() is None


def test_it_ends_on_the_server_even_if_the_browser_keeps_the_cookie(
    browser: Browser, clock: Clock
) -> None:
    cookies = dict(browser.cookies)
    clock.move(hours=12)
    assert browser.member() is None
    browser.cookies = cookies
    assert browser.member() is None


def test_the_last_request_is_stored_once_a_minute(browser: Browser, clock: Clock) -> None:
    def writes() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert browser.member()
        return sum(query["sql"].startswith("UPDATE") for query in queries)

    assert writes() == 0
    clock.move(seconds=59)
    assert writes() == 0
    clock.move(seconds=1)
    assert [writes(), writes()] == [1, 0]
    assert Session.objects.get().last_seen_at == clock.now


def test_signing_out_ends_it_on_the_server(browser: Browser) -> None:
    cookies = dict(browser.cookies)
    browser.ask(sessions.end)
    assert browser.cookies == {}
    browser.cookies = cookies
    assert browser.member() is None
    assert not Session.objects.exists()


def test_a_concurrent_request_does_not_restore_an_ended_session(
    browser: Browser,
) -> None:
    def slow(request: HttpRequest) -> None:
        assert sessions.member_of(request)
        Session.objects.all().delete()
        request.session["note"] = "something"

    with pytest.raises(SessionInterrupted):
        browser.ask(slow)
    assert browser.member() is None
    assert not Session.objects.exists()


@pytest.mark.statement("S05")
@pytest.mark.parametrize(
    "change",
    [
        lambda: Member.objects.update(is_active=False),
        lambda: Member.objects.update(password=make_password("another long password")),
        lambda: Member.objects.update(password=make_password(None)),
    ],
    ids=["not active", "another password", "no password"],
)
def test_it_ends_when_the_member_or_password_changes(
    browser: Browser, change: Callable[[], object]
) -> None:
    change()
    assert browser.member() is None
    assert not Session.objects.exists()


def test_a_reactivated_member_has_to_sign_in_again(browser: Browser) -> None:
    Member.objects.update(is_active=False)
    assert browser.member() is None
    Member.objects.update(is_active=True)
    assert browser.member() is None


@pytest.mark.usefixtures("real_hashing")
def test_a_member_with_an_upgraded_hash_stays_signed_in(manager: Member) -> None:
    weak = type("Weak", (Argon2id,), {"memory_cost": 1024, "time_cost": 1})()
    Member.objects.update(password=weak.encode(PASSWORD, weak.salt()))
    browser = Browser()
    browser.sign_in(sign_in(manager.email, PASSWORD, HERE, NOW))
    assert browser.member() == manager


def test_sessions_are_listed_with_address_and_browser(
    browser: Browser, manager: Member, neighbor: Member, clock: Clock
) -> None:
    Browser().sign_in(neighbor)
    clock.move(minutes=5)
    phone = Browser()
    phone.sign_in(manager, "Phone\r\n" + "x" * 200)
    latest, first = active_sessions(manager, phone)
    assert (latest.address, latest.agent, latest.is_this) == (
        HERE,
        ("Phone" + "x" * 300)[:200],
        True,
    )
    assert (first.agent, first.is_this, first.started_at, first.last_seen_at) == (
        "Firefox",
        False,
        NOW,
        NOW,
    )
    assert phone.key not in {latest.handle, first.handle}


def test_expired_sessions_are_not_listed(browser: Browser, manager: Member, clock: Clock) -> None:
    clock.move(minutes=30)
    assert active_sessions(manager, Browser()) == []


def test_a_session_can_be_ended_from_another_browser(browser: Browser, manager: Member) -> None:
    phone = Browser()
    phone.sign_in(manager)
    [handle] = [
        session.handle for session in active_sessions(manager, browser) if not session.is_this
    ]
    assert sessions.end_one(manager, handle)
    assert (browser.member(), phone.member()) == (manager, None)
    assert not sessions.end_one(manager, handle)


def test_sessions_of_other_members_cannot_be_ended(
    browser: Browser, manager: Member, neighbor: Member
) -> None:
    [session] = active_sessions(manager, browser)
    assert not sessions.end_one(neighbor, session.handle)
    assert browser.member() == manager


def test_all_other_sessions_of_the_member_can_be_ended(
    browser: Browser, manager: Member, neighbor: Member
) -> None:
    phone, theirs = Browser(), Browser()
    phone.sign_in(manager)
    theirs.sign_in(neighbor)
    assert browser.ask(lambda request: sessions.end_others(request, manager)) == 1
    assert (browser.member(), phone.member(), theirs.member()) == (manager, None, neighbor)


def test_sweep_removes_only_expired_sessions(
    browser: Browser, manager: Member, clock: Clock
) -> None:
    clock.move(minutes=20)
    later = Browser()
    later.sign_in(manager)
    assert sessions.sweep(clock.now) == 0
    clock.move(minutes=10)
    assert sessions.sweep(clock.now) == 1
    assert later.member() == manager


def test_the_begin_is_audited_without_the_key(browser: Browser, manager: Member) -> None:
    event = AuditEvent.objects.get()
    assert (event.action, event.result, event.member, event.address) == (
        "begin session",
        "ok",
        manager,
        HERE,
    )
    assert browser.key not in str(AuditEvent.objects.values())


def test_a_pending_sign_in_is_not_a_session(manager: Member) -> None:
    browser, other = Browser(), Browser()
    browser.ask(lambda request: sessions.begin_pending(request, manager, NOW))
    assert browser.ask(lambda request: sessions.pending_member(request, NOW)) == manager
    assert browser.member() is None
    assert other.ask(lambda request: sessions.pending_member(request, NOW)) is None
    assert active_sessions(manager, browser) == []


def test_a_pending_sign_in_expires_after_five_minutes(manager: Member, clock: Clock) -> None:
    browser = Browser()
    browser.ask(lambda request: sessions.begin_pending(request, manager, NOW))
    clock.move(minutes=4, seconds=59)
    assert browser.ask(lambda request: sessions.pending_member(request, clock.now))
    clock.move(seconds=1)
    assert browser.ask(lambda request: sessions.pending_member(request, clock.now)) is None


def test_a_pending_sign_in_replaces_the_session_and_is_replaced_by_the_next(
    browser: Browser, manager: Member
) -> None:
    before = browser.key
    browser.ask(lambda request: sessions.begin_pending(request, manager, NOW))
    assert browser.key != before
    assert browser.member() is None
    browser.sign_in(manager)
    assert browser.ask(lambda request: sessions.pending_member(request, NOW)) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda: Member.objects.update(is_active=False),
        lambda: Member.objects.update(password=make_password("another long password")),
    ],
    ids=["not active", "another password"],
)
def test_a_pending_sign_in_ends_when_the_member_or_password_changes(
    manager: Member, change: Callable[[], object]
) -> None:
    browser = Browser()
    browser.ask(lambda request: sessions.begin_pending(request, manager, NOW))
    change()
    assert browser.ask(lambda request: sessions.pending_member(request, NOW)) is None


def test_a_pending_secret_stays_the_same_until_it_is_cleared(browser: Browser) -> None:
    secrets = iter(["one", "two"])

    def pending_secret() -> str:
        return browser.ask(
            lambda request: sessions.pending_totp_secret(request, lambda: next(secrets))
        )

    assert [pending_secret(), pending_secret()] == ["one", "one"]
    browser.ask(sessions.clear_pending_totp_secret)
    assert pending_secret() == "two"
