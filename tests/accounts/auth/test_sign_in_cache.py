"""Sign-ins that have just succeeded, and what ends their being remembered."""

from datetime import UTC, datetime, timedelta
from unittest import mock

import pytest
from django.contrib.auth.hashers import check_password

from rollbook.accounts.auth import sign_in as auth_sign_in
from rollbook.accounts.auth import sign_in_cache
from rollbook.accounts.auth.sign_in import SignInFailed, sign_in
from rollbook.accounts.auth.sign_in_cache import SignInCache
from rollbook.accounts.auth.throttle import PER_LOGIN_AND_ADDRESS, RateLimited
from rollbook.accounts.models import Member
from tests.conftest import PASSWORD

NOW = datetime(2026, 5, 13, 12, tzinfo=UTC)
HERE = "192.0.2.7"


def test_only_what_was_noted_is_known() -> None:
    remembered = SignInCache()
    remembered.add(1, "hash", "secret")
    assert remembered.contains(1, "hash", "secret")
    assert not remembered.contains(2, "hash", "secret")
    assert not remembered.contains(1, "another hash", "secret")
    assert not remembered.contains(1, "hash", "secret ")
    remembered.clear()
    assert not remembered.contains(1, "hash", "secret")


def test_it_is_known_for_five_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = mock.Mock(return_value=1000.0)
    monkeypatch.setattr(sign_in_cache, "monotonic", clock)
    remembered = SignInCache()
    remembered.add(1, "hash", "secret")
    clock.return_value += 299
    assert remembered.contains(1, "hash", "secret")
    clock.return_value += 2
    assert not remembered.contains(1, "hash", "secret")


def test_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in_cache, "MOST", 3)
    remembered = SignInCache()
    for member in range(5):
        remembered.add(member, "hash", "secret")
    assert [remembered.contains(member, "hash", "secret") for member in range(5)] == [
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


def test_a_changed_password_ends_it_at_once(manager: Member) -> None:
    sign_in(manager.email, PASSWORD, HERE, NOW)
    manager.set_password("another staple, another horse")
    manager.save()
    with pytest.raises(SignInFailed):
        sign_in(manager.email, PASSWORD, HERE, NOW)


def test_who_is_deactivated_is_out_at_once(manager: Member) -> None:
    sign_in(manager.email, PASSWORD, HERE, NOW)
    manager.is_active = False
    manager.save()
    with pytest.raises(SignInFailed):
        sign_in(manager.email, PASSWORD, HERE, NOW)


def test_the_throttle_comes_first(manager: Member) -> None:
    sign_in(manager.email, PASSWORD, HERE, NOW - timedelta(minutes=1))
    for _ in range(PER_LOGIN_AND_ADDRESS):
        with pytest.raises(SignInFailed):
            sign_in(manager.email, "a wrong one", HERE, NOW)
    with pytest.raises(RateLimited):
        sign_in(manager.email, PASSWORD, HERE, NOW)
