"""Test everything that can go wrong with the forms of sign-in, passwords and two-step verification.

They are not in the table of ``form_cases``, because most of them are for people who aren't signed
in, and each needs an own way to get there.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from django.utils import timezone

from rollbook.accounts.auth import emailed_links
from rollbook.accounts.models import (
    AccountMail,
    AccountMailKind,
    Member,
    RecoveryCode,
    SecondFactor,
    Session,
    Token,
)
from tests.accounts.browser import Clock
from tests.accounts.phone import Phone, TwoStepSetup, with_second_factor
from tests.conftest import PASSWORD
from tests.web.pages.conftest import Visitor
from tests.web.pages.reading import Page, read

NEW = "plum river candle fox"
TWO_STEP = "/account/second-factor"


@dataclass(frozen=True)
class Opened:
    """A form that is open in a browser.

    Attributes:
        browser: The browser.
        address: Where the form is.
        right: The fields that are accepted.
        secrets: The fields that are never shown again.
    """

    browser: Visitor
    address: str
    right: Mapping[str, str]
    secrets: tuple[str, ...]

    def submit(self, fields: Mapping[str, Any]) -> Any:
        return self.browser.post(self.address, fields)


def _sign_in(manager: Member) -> Opened:
    browser = Visitor()
    browser.get("/sign-in")
    right = {"login": manager.email, "password": PASSWORD}
    return Opened(browser, "/sign-in", right, ("password",))


def _forgotten(manager: Member) -> Opened:
    browser = Visitor()
    browser.get("/forgotten-password")
    return Opened(browser, "/forgotten-password", {"login": manager.email}, ())


def _link(manager: Member) -> Opened:
    browser = Visitor()
    token = emailed_links.make_token(manager, AccountMailKind.FORGOTTEN_PASSWORD)
    browser.get(f"/password/{token}")
    return Opened(browser, f"/password/{token}", {"new": NEW, "again": NEW}, ("new", "again"))


def _signed_in(manager: Member) -> Visitor:
    browser = Visitor()
    browser.sign_in(manager)
    return browser


def _code(manager: Member) -> Opened:
    setup = with_second_factor(manager)
    right = {"code": setup.recovery_codes[0]}
    return Opened(_signed_in(manager), "/sign-in/code", right, ())


def _two_step(manager: Member) -> Opened:
    browser = _signed_in(manager)
    page = browser.read(TWO_STEP)
    secret = "".join(next(iter(page.main.iter("pre"))).itertext()).strip()
    right = {"code": Phone.with_secret(secret).code(timezone.now()), "password": PASSWORD}
    return Opened(browser, TWO_STEP, right, ("password",))


def _with_two_step(manager: Member) -> tuple[Visitor, TwoStepSetup]:
    setup = with_second_factor(manager)
    browser = _signed_in(manager)
    browser.post("/sign-in/code", {"code": setup.recovery_codes[0]})
    return browser, setup


def _recovery_codes(manager: Member) -> Opened:
    browser, setup = _with_two_step(manager)
    right = {"password": PASSWORD, "code": setup.recovery_codes[1]}
    return Opened(browser, f"{TWO_STEP}/recovery-codes", right, ("password",))


def _off(manager: Member) -> Opened:
    browser, setup = _with_two_step(manager)
    right = {"password": PASSWORD, "code": setup.recovery_codes[1]}
    return Opened(browser, f"{TWO_STEP}/off", right, ("password",))


FORMS: dict[str, Callable[[Member], Opened]] = {
    "sign-in": _sign_in,
    "code": _code,
    "forgotten password": _forgotten,
    "password by link": _link,
    "two-step verification": _two_step,
    "recovery codes": _recovery_codes,
    "two-step verification off": _off,
}
FOR_MEMBERS = ("two-step verification", "recovery codes", "two-step verification off")
ODD = {"too long": "x" * 3000, "NUL": "a\0b", "bell": "a\x07b", "override": "a\u202eb"}


@pytest.fixture
def opened(request: pytest.FixtureRequest, manager: Member, clock: Clock) -> Opened:
    """The form of the parameter, opened."""
    return FORMS[request.param](manager)


every_form = pytest.mark.parametrize("opened", FORMS, indirect=True)


def stored() -> list[tuple[Any, ...]]:
    """Return what the forms change: passwords, two-step verification, sessions and emails."""
    rows: list[tuple[Any, ...]] = list(Member.objects.values_list("pk", "password"))
    for model in (SecondFactor, RecoveryCode, Token):
        rows += model._default_manager.order_by("pk").values_list()
    rows.append((Session.objects.filter(member__isnull=False).count(),))
    rows.append((AccountMail.objects.count(),))
    return rows


def check_no_secret(opened: Opened, response: Any, sent: Mapping[str, str]) -> Page:
    text = response.content.decode()
    for name in opened.secrets:
        assert not sent.get(name) or sent[name] not in text
    return read(response)


@every_form
def test_the_right_fields_are_accepted(opened: Opened) -> None:
    before = stored()
    answer = opened.submit(opened.right)
    assert answer.status_code in {200, 302}
    assert stored() != before


@every_form
def test_every_empty_field_is_named(opened: Opened) -> None:
    before = stored()
    answer = opened.submit(dict.fromkeys(opened.right, ""))
    assert answer.status_code == 422
    page = read(answer)
    assert len(page.problems) == len(opened.right)
    for name in opened.right:
        assert page.described(name)
    assert stored() == before


@every_form
@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_odd_text_is_refused_with_a_reason(opened: Opened, text: str) -> None:
    before = stored()
    for name in opened.right:
        sent = {**opened.right, name: text}
        answer = opened.submit(sent)
        assert answer.status_code in {200, 403, 422}
        page = check_no_secret(opened, answer, sent)
        assert answer.status_code == 200 or page.problems
    assert stored() == before


@every_form
def test_a_form_that_is_submitted_twice_does_it_once(opened: Opened) -> None:
    opened.submit(opened.right)
    after = stored()
    answer = opened.submit(opened.right)
    assert answer.status_code in {200, 302, 403, 410, 422}
    if not opened.address.startswith("/forgotten"):  # each request for a link is answered by one
        assert stored() == after


@every_form
def test_a_form_of_an_old_tab_says_what_to_do(opened: Opened) -> None:
    before = stored()
    answer = opened.submit({**opened.right, "csrfmiddlewaretoken": "x" * 64})
    assert answer.status_code == 403
    assert "Go back, reload the page, and send it once more." in read(answer).text
    assert stored() == before


@every_form
def test_going_back_shows_no_failure_and_no_secret(opened: Opened) -> None:
    opened.submit(opened.right)
    answer = opened.browser.get(opened.address)
    assert answer.status_code in {200, 302, 410}
    check_no_secret(opened, answer, opened.right)


@pytest.mark.parametrize("opened", FOR_MEMBERS, indirect=True)
def test_after_the_session_has_ended_the_sign_in_says_that_nothing_was_saved(
    opened: Opened,
) -> None:
    opened.browser.post("/sign-out")
    opened.browser.get("/sign-in")
    before = stored()
    page = opened.browser.follow(opened.submit(opened.right))
    assert page.heading == "Sign in"
    assert "Your session had ended, so nothing was saved." in page.text
    assert stored() == before


def test_a_code_after_five_minutes_leads_to_the_sign_in(manager: Member, clock: Clock) -> None:
    opened = _code(manager)
    clock.move(minutes=6)
    page = opened.browser.follow(opened.submit(opened.right))
    assert page.heading == "Sign in"
    assert "More than five minutes have passed." in page.text
