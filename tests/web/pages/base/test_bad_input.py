"""Test everything that can go wrong with a form, with all forms: one table, one test for each way.

A form is empty, too long or has control characters, is submitted twice, after the session has
ended, from an old tab, or without its token. Nothing that was typed is lost where the form is shown
again, no page fails, and no password is in an answer.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from rollbook.accounts.models import Member
from tests.web.pages.base.form_cases import FORMS, FormCase, Maple, everything
from tests.web.pages.conftest import SignedIn
from tests.web.pages.reading import Page, read, text_of

TOO_LONG = "x" * 3000
CONTROL = {"NUL": "a\0b", "bell": "a\x07b", "override": "a\u202eb"}


@pytest.fixture
def maple_usd(manager: Member, visitor: SignedIn) -> Maple:
    return Maple(manager, visitor(manager))


def cases(attribute: str) -> list[Any]:
    """Return a parameter for each form and each name in one of its attributes."""
    return [
        pytest.param(case, name, id=f"{title}, {name}")
        for title, case in FORMS.items()
        for name in getattr(case, attribute)
    ]


def all_forms(*, only_once: bool = False) -> list[Any]:
    found = {title: case for title, case in FORMS.items() if case.is_once or not only_once}
    return [pytest.param(case, id=title) for title, case in found.items()]


def check_shown_again(case: FormCase, sent: Mapping[str, Any], response: Any) -> Page:
    """Check that the form is shown again with all that was typed, except for secrets."""
    assert response.status_code == 422, response
    page = read(response)
    text = response.content.decode()
    for name in case.secrets:
        secret = sent.get(name)
        assert not secret or isinstance(secret, list) or secret not in text
    return page


def error_at(page: Page, name: str) -> str:
    """Return the error at a field, to which the field or the group of choices must refer."""
    error = f"id_{name}_error"
    assert any(error in each.get("aria-describedby", "").split() for each in page.main.iter())
    return text_of(page.main.find(f".//*[@id='{error}']"))


@pytest.mark.parametrize("case", all_forms())
def test_a_filled_form_is_accepted(maple_usd: Maple, case: FormCase) -> None:
    before = everything()
    answer = maple_usd.submit(case, maple_usd.filled(case))
    assert answer.status_code in {200, 302}, read(answer).problems
    assert everything() != before or case.address.startswith("/account/tokens")


@pytest.mark.parametrize(("case", "name"), cases("required"))
def test_an_empty_field_is_named_and_nothing_else_is_lost(
    maple_usd: Maple, case: FormCase, name: str
) -> None:
    before = everything()
    sent = {**maple_usd.filled(case), name: ""}
    page = check_shown_again(case, sent, maple_usd.submit(case, sent))
    assert page.problems
    assert error_at(page, name)
    kept = page.form_with(name).values
    for other, value in case.valid.items():
        if other not in (name, *case.secrets):
            assert kept[other] == (value if isinstance(value, list) else [value])
    assert everything() == before


def forms_with_required_fields() -> list[Any]:
    found = {title: case for title, case in FORMS.items() if case.required}
    return [pytest.param(case, id=title) for title, case in found.items()]


@pytest.mark.parametrize("case", forms_with_required_fields())
def test_all_errors_are_shown_at_once(maple_usd: Maple, case: FormCase) -> None:
    sent = {**maple_usd.filled(case), **dict.fromkeys(case.required, "")}
    page = check_shown_again(case, sent, maple_usd.submit(case, sent))
    assert len(page.problems) >= len(case.required)
    for name in case.required:
        assert error_at(page, name)


@pytest.mark.parametrize(("case", "name"), cases("texts"))
@pytest.mark.parametrize("text", [TOO_LONG, *CONTROL.values()], ids=["too long", *CONTROL])
def test_text_that_cannot_be_stored_is_refused_with_a_reason(
    maple_usd: Maple, case: FormCase, name: str, text: str
) -> None:
    before = everything()
    sent = {**maple_usd.filled(case), name: text}
    page = check_shown_again(case, sent, maple_usd.submit(case, sent))
    assert page.problems
    assert everything() == before


@pytest.mark.parametrize("case", all_forms(only_once=True))
def test_a_form_that_is_submitted_twice_does_it_once(maple_usd: Maple, case: FormCase) -> None:
    sent = maple_usd.filled(case)
    maple_usd.submit(case, sent)
    after = everything()
    answer = maple_usd.submit(case, sent)
    assert answer.status_code in {403, 422}  # a new password makes the token of the form invalid
    assert everything() == after


@pytest.mark.parametrize("case", all_forms())
def test_after_the_session_has_ended_nothing_is_done_and_the_sign_in_follows(
    maple_usd: Maple, case: FormCase
) -> None:
    sent = maple_usd.filled(case)
    maple_usd.browser.post("/sign-out")
    maple_usd.browser.get("/sign-in")
    before = everything()
    answer = maple_usd.submit(case, sent)
    assert answer.status_code == 302
    page = maple_usd.browser.follow(answer)
    assert page.heading == "Sign in"
    assert "Your session had ended, so nothing was saved." in page.text
    query = parse_qs(urlsplit(answer["Location"]).query)
    assert query.get("next", [maple_usd.address(case)]) == [maple_usd.address(case)]
    assert ("next" in query) == case.leads_back
    assert everything() == before


@pytest.mark.parametrize("case", all_forms())
def test_a_form_of_an_old_tab_says_what_to_do(maple_usd: Maple, case: FormCase) -> None:
    """Signing in again makes another token, so forms that were opened before have an old one."""
    before = everything()
    sent = {**maple_usd.filled(case), "csrfmiddlewaretoken": "x" * 64}
    answer = maple_usd.submit(case, sent)
    assert answer.status_code == 403
    assert "Go back, reload the page, and send it once more." in read(answer).text
    assert everything() == before


@pytest.mark.parametrize("case", all_forms())
def test_fields_that_the_form_does_not_have_change_nothing(
    maple_usd: Maple, case: FormCase
) -> None:
    odd = {"district": "2", "is_active": "", "pk": "1", "id": "1", "permissions": "everything"}
    before = everything()
    answer = maple_usd.submit(case, odd)
    assert answer.status_code == (422 if case.required else 302)
    assert everything() == before
