"""The cache of successful sign-ins, and what ends an entry."""

from datetime import UTC, datetime, timedelta
from unittest import mock

import pytest
from django.contrib.auth.hashers import check_password

from rollbook.accounts.auth import sign_in as auth_sign_in
from rollbook.accounts.auth import sign_in_cache
from rollbook.accounts.auth.sign_in import SignInFailed, sign_in
from rollbook.accounts.auth.sign_in_cache import SignInCache
from rollbook.accounts.auth.throttle import MAX_FAILURES_PER_LOGIN_AND_ADDRESS, RateLimited
from rollbook.accounts.models import Member
from tests.conftest import PASSWORD

NOW = datetime(2026, 5, 13, 12, tzinfo=UTC)
HERE = "192.0.2.7"


def test_only_added_sign_ins_are_contained() -> None:
    cache = SignInCache()
    cache.add(1, "hash", "secret")
    assert cache.contains(1, "hash", "secret")
    assert not cache.contains(2, "hash", "secret")
    assert not cache.contains(1, "another hash", "secret")
    assert not cache.contains(1, "hash", "secret ")
    cache.clear()
    assert not cache.contains(1, "hash", "secret")


def test_entries_expire_after_five_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = mock.Mock(return_value=1000.0)
    monkeypatch.setattr(sign_in_cache, "monotonic", clock)
    cache = SignInCache()
    cache.add(1, "hash", "secret")
    clock.return_value += 299
    assert cache.contains(1, "hash", "secret")
    clock.return_value += 2
    assert not cache.contains(1, "hash", "secret")


def test_the_number_of_entries_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in_cache, "MAX_ENTRIES", 3)
    cache = SignInCache()
    for member in range(5):
        cache.add(member, "hash", "secret")
    assert [cache.contains(member, "hash", "secret") for member in range(5)] == [
        False,
        False,
        True,
        True,
        True,
    ]


@pytest.fixture
def hashing(monkeypatch: pytest.MonkeyPatch) -> mock.Mock:
    counted = mock.Mock(wraps=check_password)
    monkeypatch.setattr(auth_sign_in, "check_password", counted)
    return counted


def test_the_second_sign_in_is_not_hashed(manager: Member, hashing: mock.Mock) -> None:
    assert [sign_in(manager.email, PASSWORD, HERE, NOW).pk for _ in range(3)] == [manager.pk] * 3
    assert hashing.call_count == 1


def test_a_wrong_password_is_hashed_each_time(manager: Member, hashing: mock.Mock) -> None:
    sign_in(manager.email, PASSWORD, HERE, NOW)
    for _ in range(2):
        with pytest.raises(SignInFailed):
            sign_in(manager.email, PASSWORD + "x", HERE, NOW)
    assert hashing.call_count == 3


def test_a_changed_password_ends_the_entry(manager: Member) -> None:
    sign_in(manager.email, PASSWORD, HERE, NOW)
    manager.set_password("another staple, another horse")
    manager.save()
    with pytest.raises(SignInFailed):
        sign_in(manager.email, PASSWORD, HERE, NOW)


@pytest.mark.statement("S05")
def test_a_deactivated_member_cannot_sign_in(manager: Member) -> None:
    sign_in(manager.email, PASSWORD, HERE, NOW)
    manager.is_active = False
    manager.save()
    with pytest.raises(SignInFailed):
        sign_in(manager.email, PASSWORD, HERE, NOW)


def test_the_rate_limit_is_checked_first(manager: Member) -> None:
    sign_in(manager.email, PASSWORD, HERE, NOW - timedelta(minutes=1))
    for _ in range(MAX_FAILURES_PER_LOGIN_AND_ADDRESS):
        with pytest.raises(SignInFailed):
            sign_in(manager.email, "a wrong one", HERE, NOW)
    with pytest.raises(RateLimited):
        sign_in(manager.email, PASSWORD, HERE, NOW)
