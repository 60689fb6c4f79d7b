"""/forgotten-password and /password/…: a first or a forgotten password, set by a mailed link."""

import logging
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.utils import timezone

from rollbook.accounts import mails
from rollbook.accounts.auth import emailed_links
from rollbook.accounts.auth.throttle import REQUESTS_PER_ADDRESS
from rollbook.accounts.members import members
from rollbook.accounts.models import AccountMail, AccountMailKind, AuditEvent, Member, Session
from rollbook.districts.models import District
from tests.accounts.browser import Clock
from tests.conftest import PASSWORD
from tests.web.pages.conftest import HERE, SignedIn, Visitor
from tests.web.pages.reading import read

NEW = "plum river candle fox"


@pytest.fixture
def invited(maple: District, manager: Member) -> Member:
    return members.invite(
        maple, "ben@maple.example", "Ben", "Ito", "instructor", ["100"], manager, timezone.now()
    )


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """All that is logged, also what Django keeps to itself."""
    caplog.set_level(logging.INFO)
    logging.getLogger("django").addHandler(caplog.handler)
    yield caplog
    logging.getLogger("django").removeHandler(caplog.handler)


def mailed_link() -> str:
    """The address in the last mail, as the browser asks for it."""
    mails.send_due()
    found = re.search(rf"{re.escape(settings.URL)}(/password/\S+)", str(mail.outbox[-1].body))
    assert found
    return found[1]


def link_for(member: Member, kind: AccountMailKind = AccountMailKind.FORGOTTEN_PASSWORD) -> str:
    return f"/password/{emailed_links.make(member, kind)}"


def set_by(browser: Visitor, link: str, new: str = NEW, again: str | None = None) -> Any:
    browser.get(link)
    return browser.post(link, {"new": new, "again": new if again is None else again})


def test_a_forgotten_password_is_replaced_by_mail(stranger: Visitor, manager: Member) -> None:
    page = stranger.read("/sign-in")
    page = stranger.read(page.links["Forgotten your password?"])
    assert page.form().fields["login"]["autocomplete"] == "username"
    answer = read(stranger.post("/forgotten-password", {"login": "OPS@maple.example"}))
    assert answer.heading == "Look into your mail"
    link = mailed_link()
    page = stranger.read(link)
    assert page.heading == "A new password"
    assert "You sign in as ops@maple.example." in page.text
    assert set_by(stranger, link)["Location"] == "/"
    said = stranger.read("/account").messages
    assert said == ["Your password is set, and you are signed in as ops@maple.example."]
    assert Visitor("198.51.100.20").sign_in(manager, NEW).status_code == 302
    assert Visitor("198.51.100.20").sign_in(manager, PASSWORD).status_code == 403


def test_an_invitation_greets_and_names_district_and_role(
    stranger: Visitor, invited: Member
) -> None:
    page = stranger.read(mailed_link())
    assert (page.title, page.heading) == ("Welcome · Rollbook", "Welcome to Rollbook, Ben")
    assert "You are invited as instructor of Maple USD." in page.text
    assert page.rooms == []


def test_an_invited_member_is_in_with_the_first_password(
    stranger: Visitor, invited: Member
) -> None:
    response = set_by(stranger, mailed_link())
    assert (response.status_code, response["Location"]) == (302, "/")
    assert Session.objects.get().member == invited
    assert "Ben Ito" in stranger.read("/account").text
    events = AuditEvent.objects.filter(member=invited).order_by("pk")
    assert [(event.action, event.result) for event in events] == [
        ("set password", "first"),
        ("begin session", "ok"),
    ]


def test_the_form_asks_twice_for_what_password_managers_know_and_tells_the_rules(
    stranger: Visitor, manager: Member
) -> None:
    page = stranger.read(link_for(manager))
    for name in ("new", "again"):
        field = page.form().fields[name]
        assert (field["type"], field["autocomplete"]) == ("password", "new-password")
    assert page.described("new").startswith(
        "At least 15 characters: a few words in a row are easy to remember."
    )
    (username,) = (
        field for field in page.main.iter("input") if field.get("autocomplete") == "username"
    )
    assert username.get("value") == manager.email
    assert "hidden" in username.attrib


@pytest.mark.parametrize(
    ("login", "who"),
    [
        ("ops@maple.example", "manager"),
        ("who@example.org", "manager"),
        ("ben@maple.example", "invited"),
    ],
)
def test_the_answer_is_the_same_whoever_asks(
    login: str, who: str, stranger: Visitor, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue(who)
    stranger.get("/forgotten-password")
    response = stranger.post("/forgotten-password", {"login": login})
    assert response.status_code == 200
    assert read(response).text == (
        f"Look into your mail If {login} is a login here, a mail is on its way. "
        "The link in it works once, and for an hour. Nothing there after a few minutes? See whether the mail was taken "
        "for spam, and whether the e-mail above is the one you sign in with. Try another e-mail"
    )


def test_who_has_left_gets_the_same_answer_and_no_mail(stranger: Visitor, manager: Member) -> None:
    Member.objects.filter(pk=manager.pk).update(is_active=False)
    stranger.get("/forgotten-password")
    assert (
        "a mail is on its way"
        in read(stranger.post("/forgotten-password", {"login": manager.email})).text
    )
    assert not AccountMail.objects.exists()


def test_what_is_told_of_the_links_is_so() -> None:
    """Pages and letters say an hour, and a week."""
    assert emailed_links.LIFETIME[AccountMailKind.FORGOTTEN_PASSWORD] == timedelta(hours=1)
    assert emailed_links.LIFETIME[AccountMailKind.INVITATION] == timedelta(days=7)


def test_what_was_typed_as_a_login_is_shown_and_not_run(stranger: Visitor) -> None:
    stranger.get("/forgotten-password")
    response = stranger.post("/forgotten-password", {"login": "<script>alert(1)</script>"})
    assert "<script>alert" not in response.content.decode()
    assert "If <script>alert(1)</script> is a login here" in read(response).text


def test_a_host_that_somebody_names_does_not_get_into_the_mail(
    stranger: Visitor, manager: Member
) -> None:
    stranger.get("/forgotten-password")
    sent = {"login": manager.email, "csrfmiddlewaretoken": stranger.token}
    evil = {
        "Host": "evil.example",
        "Origin": "https://evil.example",
        "X-Forwarded-Host": "evil.example",
    }
    response = stranger.client.post("/forgotten-password", sent, secure=True, headers=evil)
    assert response.status_code == 200
    assert mailed_link().startswith("/password/")
    (sent_mail,) = mail.outbox
    assert "evil" not in sent_mail.message().as_string()


def test_who_asks_too_often_has_to_wait(stranger: Visitor, manager: Member, clock: Clock) -> None:
    stranger.get("/forgotten-password")
    for number in range(REQUESTS_PER_ADDRESS):
        assert (
            stranger.post("/forgotten-password", {"login": f"{number}@maple.example"}).status_code
            == 200
        )
    response = stranger.post("/forgotten-password", {"login": manager.email})
    assert (response.status_code, response["Retry-After"]) == (429, "3600")
    assert "Try again in 1 h 0 min." in read(response).text
    assert not AccountMail.objects.exists()


def test_an_empty_field_is_told(stranger: Visitor) -> None:
    stranger.get("/forgotten-password")
    response = stranger.post("/forgotten-password", {"login": " "})
    assert response.status_code == 422
    assert read(response).described("login") == "This field is required."


@pytest.mark.parametrize(
    ("new", "reasons"),
    [
        ("plum fox", ["It is shorter than 15 characters"]),
        (
            "aaaaaaaa",
            [
                "It is shorter than 15 characters",
                "It consists of fewer than 5 different characters.",
            ],
        ),
        ("maple-usd 2026 rollbook", ["It contains 'rollbook'.", "It contains 'Maple USD'."]),
        ("passwordpassword", ["It is one of the passwords that are tried first."]),
    ],
)
def test_every_reason_against_a_password_stands_at_its_field(
    new: str, reasons: list[str], stranger: Visitor, manager: Member
) -> None:
    response = set_by(stranger, link_for(manager), new)
    assert response.status_code == 422
    page = read(response)
    for reason in reasons:
        assert reason in page.described("new")
    assert page.form().fields["new"]["aria-invalid"] == "true"
    assert new not in response.content.decode()
    assert not Session.objects.exists()


def test_two_that_differ_are_told_and_the_link_is_still_good(
    stranger: Visitor, manager: Member
) -> None:
    link = link_for(manager)
    response = set_by(stranger, link, NEW, NEW + "!")
    assert response.status_code == 422
    assert read(response).described("again") == "This is not the same. Type both again."
    assert set_by(stranger, link).status_code == 302


def test_blanks_around_a_password_are_part_of_it(stranger: Visitor, manager: Member) -> None:
    assert set_by(stranger, link_for(manager), f" {NEW} ").status_code == 302
    assert Visitor("198.51.100.20").sign_in(manager, NEW).status_code == 403
    assert Visitor("198.51.100.20").sign_in(manager, f" {NEW} ").status_code == 302


def test_a_link_works_once(stranger: Visitor, manager: Member) -> None:
    link = link_for(manager)
    stranger.get(link)
    assert set_by(stranger, link).status_code == 302
    for response in (Visitor().get(link), set_by(stranger, link, "another long passphrase")):
        assert response.status_code == 410
    assert Visitor("198.51.100.20").sign_in(manager, NEW).status_code == 302


def test_looking_at_the_form_does_not_use_it_up(stranger: Visitor, manager: Member) -> None:
    """Mail scanners look at every link first."""
    link = link_for(manager)
    for _ in range(3):
        assert stranger.get(link).status_code == 200
    assert stranger.client.head(link, secure=True).status_code == 200
    assert set_by(stranger, link).status_code == 302


@pytest.mark.parametrize("token", ["nothing", "1:2:3", "%00", "é", "x" * 5000])
def test_a_link_that_is_none_is_told_with_what_to_do(token: str, stranger: Visitor) -> None:
    response = stranger.get(f"/password/{token}")
    assert response.status_code == 410
    page = read(response)
    assert page.heading == "This link does not work any more"
    assert (
        "This link has been used, is too old, or is not complete. Ask for a new one." in page.text
    )
    assert page.links == {"sign in": "/sign-in", "Ask for a new link": "/forgotten-password"}


def test_the_link_of_a_leaver_opens_nothing(stranger: Visitor, manager: Member) -> None:
    link = link_for(manager)
    Member.objects.filter(pk=manager.pk).update(is_active=False)
    assert stranger.get(link).status_code == 410


def test_a_password_that_is_set_ends_the_sessions_of_before(
    visitor: SignedIn, stranger: Visitor, manager: Member
) -> None:
    elsewhere = visitor(manager)
    set_by(stranger, link_for(manager))
    assert elsewhere.get("/account").status_code == 302
    assert stranger.get("/account").status_code == 200


def test_whoever_was_signed_in_here_before_is_not_any_more(
    visitor: SignedIn, manager: Member, neighbour: Member
) -> None:
    browser = visitor(neighbour)
    set_by(browser, link_for(manager))
    text = browser.read("/account").text
    assert "Maple USD" in text
    assert "Cedar" not in text
    assert not Session.objects.filter(member=neighbour).exists()


def test_a_link_from_somebody_elses_page_sets_nothing(stranger: Visitor, manager: Member) -> None:
    link = link_for(manager)
    response = stranger.client.post(
        link, {"new": NEW, "again": NEW}, secure=True, headers={"Origin": HERE}
    )
    assert (response.status_code, read(response).heading) == (403, "The form has expired")
    assert set_by(stranger, link).status_code == 302


def test_no_token_is_ever_logged(
    stranger: Visitor, manager: Member, log: pytest.LogCaptureFixture
) -> None:
    link = link_for(manager)
    token = link.rpartition("/")[2]
    stranger.client.post(
        link, {"new": NEW}, secure=True
    )  # without the form's protection, of which Django has a log
    set_by(stranger, link)
    stranger.get(link)
    assert "GET /password/<str:token> 200 in" in log.text
    assert "POST /password/<str:token> 302 in" in log.text
    assert "GET /password/<str:token> 410 in" in log.text
    assert token not in log.text
    assert NEW not in log.text


def test_no_server_but_ours_hears_of_the_link(stranger: Visitor, manager: Member) -> None:
    response = stranger.get(link_for(manager))
    assert response["Referrer-Policy"] == "same-origin"
    assert "no-store" in response["Cache-Control"]
    root = read(response).root
    named = [
        value
        for element in root.iter()
        for name, value in element.items()
        if name in {"href", "src", "action"}
    ]
    assert [address for address in named if not address.startswith(("/", "#"))] == []
