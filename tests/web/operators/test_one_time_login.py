"""The door to the operators' pages: one secret, one browser."""

from datetime import timedelta

from rollbook.web.operators.one_time_login import IDLE_TIMEOUT, OneTimeLogin
from tests.accounts.browser import NOW


def test_a_door_that_was_never_locked_opens_for_nothing() -> None:
    door = OneTimeLogin()
    assert door.redeem("", NOW) == ""
    assert not door.is_signed_in("", NOW)


def test_the_secret_is_good_once() -> None:
    door = OneTimeLogin()
    secret = door.issue_secret()
    assert door.redeem(secret + "x", NOW) == ""
    key = door.redeem(secret, NOW)
    assert key
    assert key != secret
    assert door.redeem(secret, NOW) == ""
    assert door.is_signed_in(key, NOW)
    assert not door.is_signed_in(secret, NOW)


def test_who_stays_away_is_out() -> None:
    door = OneTimeLogin()
    key = door.redeem(door.issue_secret(), NOW)
    assert door.is_signed_in(key, NOW + IDLE_TIMEOUT)
    assert door.is_signed_in(key, NOW + 2 * IDLE_TIMEOUT)
    assert not door.is_signed_in(key, NOW + 3 * IDLE_TIMEOUT + timedelta(seconds=1))
    assert not door.is_signed_in(key, NOW)


def test_a_new_secret_shuts_out_whoever_was_in() -> None:
    door = OneTimeLogin()
    first = door.issue_secret()
    key = door.redeem(first, NOW)
    second = door.issue_secret()
    assert not door.is_signed_in(key, NOW)
    assert door.redeem(first, NOW) == ""
    assert door.redeem(second, NOW)


def test_who_leaves_is_out() -> None:
    door = OneTimeLogin()
    key = door.redeem(door.issue_secret(), NOW)
    door.sign_out()
    assert not door.is_signed_in(key, NOW)
