"""Browsers in which members are signed in: how long, which, and what ends them."""

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
    """In which the manager is signed in."""
    browser = Browser()
    browser.sign_in(manager)
    return browser


def living(member: Member, browser: Browser) -> list[sessions.ActiveSession]:
    return browser.ask(lambda request: sessions.active_sessions(member, request))


def test_who_signed_in_is_known_with_the_district(browser: Browser, manager: Member) -> None:
    member = browser.member()
    assert member == manager
    with CaptureQueriesContext(connection) as queries:
        assert member is not None
        assert member.district.name == "Maple USD"
    assert len(queries) == 0


def test_a_browser_that_nobody_signed_in_knows_nobody_and_leaves_no_row(db: None) -> None:
    browser = Browser()
    assert browser.member() is None
    assert browser.cookies == {}
    assert not Session.objects.exists()


def test_a_key_that_somebody_made_up_is_nobodys_and_is_not_taken(manager: Member) -> None:
    browser = Browser()
    browser.cookies["__Host-session"] = planted = "a" * 32
    assert browser.member() is None
    browser.cookies["__Host-session"] = planted
    browser.sign_in(manager)
    assert browser.key != planted
    assert browser.member() == manager


def test_signing_in_makes_a_new_key_and_the_old_one_opens_nothing(
    browser: Browser, manager: Member
) -> None:
    old = Browser()
    old.cookies = dict(browser.cookies)
    browser.sign_in(manager)
    assert browser.key != old.key
    assert (browser.member(), old.member()) == (manager, None)
    assert Session.objects.count() == 1


def test_signing_in_as_another_member_takes_nothing_along(
    browser: Browser, neighbour: Member
) -> None:
    browser.ask(lambda request: request.session.__setitem__("said", "to the first one"))
    browser.sign_in(neighbour)
    assert browser.member() == neighbour
    assert browser.ask(lambda request: request.session.get("said")) is None


def test_the_database_holds_nothing_that_opens_a_session(browser: Browser) -> None:
    row = Session.objects.values().get()
    assert len(browser.key) == 32
    assert browser.key not in str(row)
    thief = Browser()
    thief.cookies["__Host-session"] = row["session_key"]
    assert thief.member() is None


def test_half_an_hour_without_a_request_ends_it(browser: Browser, clock: Clock) -> None:
    clock.move(minutes=29, seconds=59)
    assert browser.member()
    clock.move(minutes=30)
    assert browser.member() is None
    assert browser.cookies == {}


def test_requests_keep_it_for_twelve_hours_and_no_longer(browser: Browser, clock: Clock) -> None:
    for _ in range(12 * 60 // 20 - 1):
        clock.move(minutes=20)
        assert browser.member()
    clock.move(minutes=19, seconds=59)
    assert browser.member()
    clock.move(seconds=1)
    assert browser.member() is None


def test_what_a_page_keeps_in_it_does_not_make_it_last_longer(
    browser: Browser, clock: Clock
) -> None:
    for _ in range(12 * 60 // 20):
        clock.move(minutes=20)
        browser.ask(lambda request: request.session.__setitem__("said", "something"))
    assert browser.member() is None


def test_its_end_is_kept_on_the_server_whatever_the_browser_keeps(
    browser: Browser, clock: Clock
) -> None:
    kept = dict(browser.cookies)
    clock.move(hours=12)
    assert browser.member() is None
    browser.cookies = kept
    assert browser.member() is None


def test_being_seen_is_written_once_a_minute(browser: Browser, clock: Clock) -> None:
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
    kept = dict(browser.cookies)
    browser.ask(sessions.end)
    assert browser.cookies == {}
    browser.cookies = kept
    assert browser.member() is None
    assert not Session.objects.exists()


def test_a_request_that_was_under_way_does_not_bring_an_ended_session_back(
    browser: Browser,
) -> None:
    def slow(request: HttpRequest) -> None:
        assert sessions.member_of(request)
        Session.objects.all().delete()
        request.session["said"] = "something"

    with pytest.raises(SessionInterrupted):
        browser.ask(slow)
    assert browser.member() is None
    assert not Session.objects.exists()


@pytest.mark.parametrize(
    "change",
    [
        lambda: Member.objects.update(is_active=False),
        lambda: Member.objects.update(password=make_password("another long password")),
        lambda: Member.objects.update(password=make_password(None)),
    ],
    ids=["not active", "another password", "no password"],
)
def test_the_next_request_of_who_may_no_longer_is_nobodys(
    browser: Browser, change: Callable[[], object]
) -> None:
    change()
    assert browser.member() is None
    assert not Session.objects.exists()


def test_who_is_made_active_again_signs_in_again(browser: Browser) -> None:
    Member.objects.update(is_active=False)
    assert browser.member() is None
    Member.objects.update(is_active=True)
    assert browser.member() is None


@pytest.mark.usefixtures("real_hashing")
def test_a_member_whose_weak_hash_was_upgraded_just_now_stays_signed_in(manager: Member) -> None:
    weak = type("Weak", (Argon2id,), {"memory_cost": 1024, "time_cost": 1})()
    Member.objects.update(password=weak.encode(PASSWORD, weak.salt()))
    browser = Browser()
    browser.sign_in(sign_in(manager.email, PASSWORD, HERE, NOW))
    assert browser.member() == manager


def test_a_members_sessions_are_listed_with_where_and_what_they_are(
    browser: Browser, manager: Member, neighbour: Member, clock: Clock
) -> None:
    Browser().sign_in(neighbour)
    clock.move(minutes=5)
    phone = Browser()
    phone.sign_in(manager, "Phone\r\n" + "x" * 200)
    there, here = living(manager, phone)
    assert (there.address, there.agent, there.is_this) == (HERE, ("Phone" + "x" * 300)[:200], True)
    assert (here.agent, here.is_this, here.started_at, here.last_seen_at) == (
        "Firefox",
        False,
        NOW,
        NOW,
    )
    assert phone.key not in {there.handle, here.handle}


def test_sessions_that_are_over_are_not_listed(
    browser: Browser, manager: Member, clock: Clock
) -> None:
    clock.move(minutes=30)
    assert living(manager, Browser()) == []


def test_one_of_them_can_be_ended_from_another(browser: Browser, manager: Member) -> None:
    phone = Browser()
    phone.sign_in(manager)
    [handle] = [session.handle for session in living(manager, browser) if not session.is_this]
    assert sessions.end_one(manager, handle)
    assert (browser.member(), phone.member()) == (manager, None)
    assert not sessions.end_one(manager, handle)


def test_nobody_ends_the_session_of_a_neighbour(
    browser: Browser, manager: Member, neighbour: Member
) -> None:
    [session] = living(manager, browser)
    assert not sessions.end_one(neighbour, session.handle)
    assert browser.member() == manager


def test_all_others_can_be_ended_and_those_of_neighbours_stay(
    browser: Browser, manager: Member, neighbour: Member
) -> None:
    phone, theirs = Browser(), Browser()
    phone.sign_in(manager)
    theirs.sign_in(neighbour)
    assert browser.ask(lambda request: sessions.end_others(request, manager)) == 1
    assert (browser.member(), phone.member(), theirs.member()) == (manager, None, neighbour)


def test_sweeping_removes_what_is_over_and_nothing_else(
    browser: Browser, manager: Member, clock: Clock
) -> None:
    clock.move(minutes=20)
    later = Browser()
    later.sign_in(manager)
    assert sessions.sweep(clock.now) == 0
    clock.move(minutes=10)
    assert sessions.sweep(clock.now) == 1
    assert later.member() == manager


def test_each_begin_is_audited_without_the_key(browser: Browser, manager: Member) -> None:
    event = AuditEvent.objects.get()
    assert (event.action, event.result, event.member, event.address) == (
        "begin session",
        "ok",
        manager,
        HERE,
    )
    assert browser.key not in str(AuditEvent.objects.values())


def test_half_a_sign_in_is_known_to_its_browser_and_to_no_page(manager: Member) -> None:
    browser, other = Browser(), Browser()
    browser.ask(lambda request: sessions.begin_pending(request, manager, NOW))
    assert browser.ask(lambda request: sessions.pending_member(request, NOW)) == manager
    assert browser.member() is None
    assert other.ask(lambda request: sessions.pending_member(request, NOW)) is None
    assert living(manager, browser) == []


def test_it_is_over_after_five_minutes(manager: Member, clock: Clock) -> None:
    browser = Browser()
    browser.ask(lambda request: sessions.begin_pending(request, manager, NOW))
    clock.move(minutes=4, seconds=59)
    assert browser.ask(lambda request: sessions.pending_member(request, clock.now))
    clock.move(seconds=1)
    assert browser.ask(lambda request: sessions.pending_member(request, clock.now)) is None


def test_it_ends_the_session_before_and_is_itself_ended_by_the_next(
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
def test_it_is_nobodys_when_the_member_may_not_or_has_another_password(
    manager: Member, change: Callable[[], object]
) -> None:
    browser = Browser()
    browser.ask(lambda request: sessions.begin_pending(request, manager, NOW))
    change()
    assert browser.ask(lambda request: sessions.pending_member(request, NOW)) is None


def test_a_draft_stays_the_same_in_a_session_until_it_is_forgotten(browser: Browser) -> None:
    made = iter(["one", "two"])

    def kept() -> str:
        return browser.ask(
            lambda request: sessions.pending_totp_secret(request, lambda: next(made))
        )

    assert [kept(), kept()] == ["one", "one"]
    browser.ask(sessions.clear_pending_totp_secret)
    assert kept() == "two"
