"""A machine without the key of two-step verification: a page says so, and nothing breaks."""

import pytest
from django.conf import settings

from rollbook.accounts import key_ring
from rollbook.accounts.models import Member, SecondFactor
from rollbook.secret_keys import KeyUnusable
from tests.accounts.browser import Clock
from tests.accounts.phone import with_second_factor
from tests.web.curl import Curl, first_line
from tests.web.pages.conftest import SignedIn, Visitor
from tests.web.pages.reading import read


def test_a_machine_without_the_version_of_a_secret_says_so(
    clock: Clock, manager: Member, stranger: Visitor
) -> None:
    setup = with_second_factor(manager)
    secret = SecondFactor.objects.get().encrypted_secret
    SecondFactor.objects.update(encrypted_secret=f"7.{secret}")
    stranger.sign_in(manager)
    response = stranger.post("/sign-in/code", {"code": setup.phone.code(clock.now, later=1)})
    assert (response.status_code, response["Retry-After"]) == (503, "60")
    assert "This server is missing a key" in read(response).text


def test_the_setup_gets_another_secret_if_the_key_was_lost_meanwhile(
    clock: Clock, visitor: SignedIn, manager: Member
) -> None:
    browser = visitor(manager)
    first = browser.read("/account/second-factor").text
    session = browser.client.session
    session["pending_totp_secret"] = f"7.{session['pending_totp_secret']}"
    session.save()
    second = browser.read("/account/second-factor").text
    assert first != second
    assert browser.get("/account/second-factor/qr.svg").status_code == 200


def test_without_any_key_pages_and_commands_say_so(
    clock: Clock, visitor: SignedIn, manager: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = visitor(manager)

    def lost(name: str, *_: object) -> key_ring.KeyRing:
        raise KeyUnusable(settings.KEYS / name, "is missing")

    monkeypatch.setattr(key_ring, "ring", lost)
    assert browser.get("/account/second-factor").status_code == 503
    answer = Curl().status()
    assert answer.status_code == 503
    assert first_line(answer).startswith("ERROR key_missing: this server is missing a secret key")
