"""Rate limits of failed sign-ins by login and address, by address, and by login."""

from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from rollbook.accounts.auth import known_addresses, throttle
from rollbook.accounts.auth.throttle import Attempt, RateLimited
from rollbook.accounts.models import KnownAddress, Member, SignInFailure
from rollbook.client_network import client_network
from tests.accounts.browser import Clock

HERE = "203.0.113.7"
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@pytest.mark.statement("S04")
def test_ten_failures_with_a_login_block_it_for_the_address(db: None) -> None:
    _fail("a@maple.example", HERE, 9)
    throttle.check_sign_in("a@maple.example", HERE, NOW)
    _fail("a@maple.example", HERE, 1)
    with pytest.raises(RateLimited):
        throttle.check_sign_in("a@maple.example", HERE, NOW)


def test_another_login_from_the_same_address_is_not_blocked(db: None) -> None:
    _fail("a@maple.example", HERE, 10)
    throttle.check_sign_in("b@maple.example", HERE, NOW)


@pytest.mark.statement("S04")
def test_after_twenty_failures_wrong_credentials_from_an_address_have_to_wait(db: None) -> None:
    for number in range(20):
        assert throttle.begin_attempt(HERE, NOW) == Attempt()
        _fail(f"{number}@maple.example", HERE, 1)
    attempt = throttle.begin_attempt(HERE, NOW)
    assert (attempt.wrong_wait, attempt.right_wait) == (3600, 0)
    attempt.accept()  # the failures were those of logins that don't exist
    with pytest.raises(RateLimited):
        attempt.refuse()
    assert throttle.begin_attempt("203.0.113.8", NOW) == Attempt()


@pytest.mark.statement("S04")
def test_after_twenty_failures_of_members_right_credentials_have_to_wait_too(db: None) -> None:
    for number in range(20):
        throttle.record_failure(f"{number}@maple.example", HERE, NOW, of_member=True)
    attempt = throttle.check_sign_in("b@maple.example", HERE, NOW)
    with pytest.raises(RateLimited):
        attempt.accept()


@pytest.mark.statement("S03", "S04")
def test_what_a_stranger_sees_never_depends_on_whether_logins_exist(db: None) -> None:
    known, unknown = "203.0.113.1", "203.0.113.2"
    for number in range(100):
        waits = [throttle.begin_attempt(address, NOW).wrong_wait for address in (known, unknown)]
        assert waits[0] == waits[1]
        throttle.record_failure(f"{number}@maple.example", known, NOW, of_member=True)
        throttle.record_failure(f"{number}@maple.example", unknown, NOW)
    for address in (known, unknown):
        with pytest.raises(RateLimited):
            throttle.check_sign_in("x@maple.example", address, NOW)


@pytest.mark.statement("S04")
def test_a_hundred_failures_block_an_address_from_which_nobody_has_signed_in(
    manager: Member, clock: Clock
) -> None:
    for address in (HERE, "203.0.113.8"):
        for number in range(100):
            _fail(f"{number}@maple.example", address, 1)
    known_addresses.remember(manager, HERE, NOW)
    throttle.check_address(HERE, NOW)
    throttle.check_sign_in(manager.email, HERE, NOW).accept()
    with pytest.raises(RateLimited):
        throttle.check_sign_in("new@maple.example", HERE, NOW)
    with pytest.raises(RateLimited):
        throttle.check_address("203.0.113.8", NOW)


@pytest.mark.parametrize("count", [0, 1, 99, 100])
def test_an_address_is_checked_with_one_query_unless_it_has_to_wait(
    db: None, count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    _fail("a@maple.example", HERE, count)
    with django_assert_num_queries(2 if count == 100 else 1):
        assert _wait_of(HERE) == (3600 if count == 100 else 0)


def test_an_address_may_try_again_when_a_hundredth_failure_is_an_hour_old(db: None) -> None:
    for minute in range(110):
        throttle.record_failure("a@maple.example", HERE, NOW - timedelta(minutes=minute / 2))
    assert SignInFailure.objects.count() == 110
    assert _wait_of(HERE) == 3600 - 99 * 30
    assert _wait_of("203.0.113.8") == 0


def _wait_of(address: str) -> int:
    """Return the seconds for which the address has to wait."""
    try:
        throttle.check_address(address, NOW)
    except RateLimited as limited:
        return limited.retry_after
    return 0


@pytest.mark.statement("S04")
def test_a_known_address_is_limited_for_itself_and_its_login(manager: Member) -> None:
    known_addresses.remember(manager, HERE, NOW)
    for number in range(20):
        throttle.record_failure(f"{number}@maple.example", HERE, NOW, of_member=True)
    _fail(manager.email, HERE, 9)
    assert throttle.check_sign_in(manager.email, HERE, NOW) == Attempt()
    _fail(manager.email, HERE, 1)
    with pytest.raises(RateLimited):
        throttle.check_sign_in(manager.email, HERE, NOW)


def test_a_hundred_failures_with_a_login_block_unknown_addresses(manager: Member) -> None:
    _fail_everywhere(manager.email, 99)
    throttle.check_sign_in(manager.email, HERE, NOW)
    _fail(manager.email, "198.51.100.250", 1)
    with pytest.raises(RateLimited):
        throttle.check_sign_in(manager.email, HERE, NOW)


@pytest.mark.statement("S04")
@pytest.mark.parametrize(("days", "is_blocked"), [(29, False), (31, True)])
def test_they_do_not_block_an_address_that_signed_in_within_30_days(
    manager: Member, days: int, is_blocked: bool
) -> None:
    KnownAddress.objects.create(
        member=manager, address=HERE, last_seen_at=NOW - timedelta(days=days)
    )
    _fail_everywhere(manager.email, 100)
    assert _is_blocked(manager.email, HERE) == is_blocked


def test_an_address_known_for_one_member_is_unknown_for_another(
    manager: Member, neighbor: Member
) -> None:
    KnownAddress.objects.create(member=neighbor, address=HERE, last_seen_at=NOW)
    _fail_everywhere(manager.email, 100)
    assert _is_blocked(manager.email, HERE)


def test_the_wait_ends_when_the_decisive_failure_is_an_hour_old(db: None) -> None:
    for minute in range(12):
        _fail("a@maple.example", HERE, 1, NOW - timedelta(minutes=50 - minute))
    with pytest.raises(RateLimited) as caught:
        throttle.check_sign_in("a@maple.example", HERE, NOW)
    # The tenth from the end failed 48 minutes ago.
    assert caught.value.retry_after == 12 * 60


def test_failures_older_than_an_hour_are_removed(db: None) -> None:
    _fail("a@maple.example", HERE, 10, NOW - timedelta(minutes=61))
    throttle.check_sign_in("a@maple.example", HERE, NOW)
    _fail("a@maple.example", HERE, 1)
    assert SignInFailure.objects.count() == 1


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
    ],
)
def test_an_ipv6_network_counts_as_one_address(address: str, network: str) -> None:
    assert client_network(address) == network


def test_logins_are_stored_as_keyed_digests() -> None:
    assert throttle.digest("a") == throttle.digest("a") != throttle.digest("b")
    assert len(throttle.digest("\ud800")) == 64


def _fail(login: str, address: str, times: int, at: datetime = NOW) -> None:
    for _ in range(times):
        throttle.record_failure(login, address, at)


def _fail_everywhere(login: str, times: int) -> None:
    for number in range(times):
        _fail(login, f"198.51.100.{number}", 1)


def _is_blocked(login: str, address: str) -> bool:
    try:
        throttle.check_sign_in(login, address, NOW)
    except RateLimited:
        return True
    return False
