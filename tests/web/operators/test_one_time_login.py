"""Sign-in to the operators' site: one secret, one browser."""

from datetime import timedelta

from rollbook.web.operators.one_time_login import IDLE_TIMEOUT, OneTimeLogin
from tests.accounts.browser import NOW


def test_without_a_secret_nothing_signs_in() -> None:
    login = OneTimeLogin()
    assert login.redeem("", NOW) == ""
    assert not login.is_signed_in("", NOW)


def test_the_secret_works_once() -> None:
    login = OneTimeLogin()
    secret = login.issue_secret()
    assert login.redeem(secret + "x", NOW) == ""
    key = login.redeem(secret, NOW)
    assert key
    assert key != secret
    assert login.redeem(secret, NOW) == ""
    assert login.is_signed_in(key, NOW)
    assert not login.is_signed_in(secret, NOW)


def test_an_idle_browser_is_signed_out() -> None:
    login = OneTimeLogin()
    key = login.redeem(login.issue_secret(), NOW)
    assert login.is_signed_in(key, NOW + IDLE_TIMEOUT)
    assert login.is_signed_in(key, NOW + 2 * IDLE_TIMEOUT)
    assert not login.is_signed_in(key, NOW + 3 * IDLE_TIMEOUT + timedelta(seconds=1))
    assert not login.is_signed_in(key, NOW)


def test_a_new_secret_signs_out_the_browser() -> None:
    login = OneTimeLogin()
    first = login.issue_secret()
    key = login.redeem(first, NOW)
    second = login.issue_secret()
    assert not login.is_signed_in(key, NOW)
    assert login.redeem(first, NOW) == ""
    assert login.redeem(second, NOW)


def test_signing_out_invalidates_the_key() -> None:
    login = OneTimeLogin()
    key = login.redeem(login.issue_secret(), NOW)
    login.sign_out()
    assert not login.is_signed_in(key, NOW)
