"""/forgotten-password and /password/…: set a first or forgotten password with an emailed link."""

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
from rollbook.accounts.auth.throttle import MAX_REQUESTS_PER_ADDRESS
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
    """Capture all log records, including those of Django."""
    caplog.set_level(logging.INFO)
    logging.getLogger("django").addHandler(caplog.handler)
    yield caplog
    logging.getLogger("django").removeHandler(caplog.handler)


def emailed_link() -> str:
    """Return the path of the link in the last email."""
    mails.send_due()
    match = re.search(rf"{re.escape(settings.URL)}(/password/\S+)", str(mail.outbox[-1].body))
    assert match
    return match[1]


def link_for(member: Member, kind: AccountMailKind = AccountMailKind.FORGOTTEN_PASSWORD) -> str:
    return f"/password/{emailed_links.make_token(member, kind)}"


def set_password(browser: Visitor, link: str, new: str = NEW, again: str | None = None) -> Any:
    browser.get(link)
    return browser.post(link, {"new": new, "again": new if again is None else again})


def test_a_forgotten_password_is_replaced_with_an_emailed_link(
    stranger: Visitor, manager: Member
) -> None:
    page = stranger.read("/sign-in")
    page = stranger.read(page.links["Forgot your password?"])
    assert page.form().fields["login"]["autocomplete"] == "username"
    page = read(stranger.post("/forgotten-password", {"login": "OPS@maple.example"}))
    assert page.heading == "Check your email"
    link = emailed_link()
    page = stranger.read(link)
    assert page.heading == "New password"
    assert "You sign in as ops@maple.example." in page.text
    assert set_password(stranger, link)["Location"] == "/"
    messages = stranger.read("/account").messages
    assert messages == ["Password set. You’re signed in as ops@maple.example."]
    assert Visitor("198.51.100.20").sign_in(manager, NEW).status_code == 302
    assert Visitor("198.51.100.20").sign_in(manager, PASSWORD).status_code == 403


def test_the_invitation_page_shows_district_and_role(stranger: Visitor, invited: Member) -> None:
    page = stranger.read(emailed_link())
    assert (page.title, page.heading) == ("Welcome · Rollbook", "Welcome to Rollbook, Ben")
    assert "You’re invited to Maple USD as instructor." in page.text
    assert page.navigation == []


def test_an_invited_member_is_signed_in_with_the_first_password(
    stranger: Visitor, invited: Member
) -> None:
    response = set_password(stranger, emailed_link())
    assert (response.status_code, response["Location"]) == (302, "/")
    assert Session.objects.get().member == invited
    assert "Ben Ito" in stranger.read("/account").text
    events = AuditEvent.objects.filter(member=invited).order_by("pk")
    assert [(event.action, event.result) for event in events] == [
        ("set password", "first"),
        ("begin session", "ok"),
    ]


def test_password_managers_recognize_the_form_and_the_rules_are_shown(
    stranger: Visitor, manager: Member
) -> None:
    page = stranger.read(link_for(manager))
    for name in ("new", "again"):
        field = page.form().fields[name]
        assert (field["type"], field["autocomplete"]) == ("password", "new-password")
    assert page.described("new").startswith(
        "At least 15 characters. A few words in a row are easy to remember."
    )
    (username,) = (
        field for field in page.main.iter("input") if field.get("autocomplete") == "username"
    )
    assert username.get("value") == manager.email
    assert "hidden" in username.attrib


@pytest.mark.statement("S09")
@pytest.mark.parametrize(
    ("login", "who"),
    [
        ("ops@maple.example", "manager"),
        ("who@example.org", "manager"),
        ("ben@maple.example", "invited"),
    ],
)
def test_the_response_is_the_same_for_every_login(
    login: str, who: str, stranger: Visitor, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue(who)
    stranger.get("/forgotten-password")
    response = stranger.post("/forgotten-password", {"login": login})
    assert response.status_code == 200
    assert read(response).text == (
        f"Check your email If {login} has an account here, we’ve sent an email with a link. "
        "It works once, within an hour. "
        "No email after a few minutes? Check your spam folder, "
        "and make sure that the address above is the one you sign in with. Try another email"
    )


def test_an_inactive_member_gets_the_same_response_and_no_email(
    stranger: Visitor, manager: Member
) -> None:
    Member.objects.filter(pk=manager.pk).update(is_active=False)
    stranger.get("/forgotten-password")
    response = stranger.post("/forgotten-password", {"login": manager.email})
    assert "we’ve sent an email" in read(response).text
    assert not AccountMail.objects.exists()


def test_links_are_valid_as_long_as_pages_and_emails_say() -> None:
    """Pages and emails say an hour, and a week."""
    assert emailed_links.LIFETIME[AccountMailKind.FORGOTTEN_PASSWORD] == timedelta(hours=1)
    assert emailed_links.LIFETIME[AccountMailKind.INVITATION] == timedelta(days=7)


def test_the_login_is_escaped(stranger: Visitor) -> None:
    stranger.get("/forgotten-password")
    response = stranger.post("/forgotten-password", {"login": "<script>alert(1)</script>"})
    assert "<script>alert" not in response.content.decode()
    assert "If <script>alert(1)</script> has an account here" in read(response).text


@pytest.mark.statement("S09")
def test_the_host_header_does_not_change_the_link(stranger: Visitor, manager: Member) -> None:
    stranger.get("/forgotten-password")
    form_data = {"login": manager.email, "csrfmiddlewaretoken": stranger.token}
    evil = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    response = stranger.client.post("/forgotten-password", form_data, secure=True, headers=evil)
    assert response.status_code == 400
    assert not AccountMail.objects.exists()
    evil |= {"Host": "localhost", "Origin": "https://localhost"}
    response = stranger.client.post("/forgotten-password", form_data, secure=True, headers=evil)
    assert response.status_code == 200
    assert emailed_link().startswith("/password/")
    (sent_mail,) = mail.outbox
    assert "evil" not in sent_mail.message().as_string()


def test_requests_are_limited(stranger: Visitor, manager: Member, clock: Clock) -> None:
    stranger.get("/forgotten-password")
    for number in range(MAX_REQUESTS_PER_ADDRESS):
        assert (
            stranger.post("/forgotten-password", {"login": f"{number}@maple.example"}).status_code
            == 200
        )
    response = stranger.post("/forgotten-password", {"login": manager.email})
    assert (response.status_code, response["Retry-After"]) == (429, "3600")
    assert "Try again in 1 h 0 min." in read(response).text
    assert not AccountMail.objects.exists()


def test_an_empty_field_is_reported(stranger: Visitor) -> None:
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
                "It has fewer than 5 different characters:",
            ],
        ),
        ("maple-usd 2026 rollbook", ["It contains 'rollbook', ", "It contains 'Maple USD', "]),
        ("passwordpassword", ["It is a common password that attackers try first: "]),
    ],
)
def test_every_policy_violation_is_reported_at_the_field(
    new: str, reasons: list[str], stranger: Visitor, manager: Member
) -> None:
    response = set_password(stranger, link_for(manager), new)
    assert response.status_code == 422
    page = read(response)
    for reason in reasons:
        assert reason in page.described("new")
    assert page.form().fields["new"]["aria-invalid"] == "true"
    assert new not in response.content.decode()
    assert not Session.objects.exists()


def test_passwords_that_differ_are_reported_and_the_link_still_works(
    stranger: Visitor, manager: Member
) -> None:
    link = link_for(manager)
    response = set_password(stranger, link, NEW, NEW + "!")
    assert response.status_code == 422
    assert read(response).described("again") == "The passwords don’t match. Enter both again."
    assert set_password(stranger, link).status_code == 302


def test_spaces_around_a_password_are_part_of_it(stranger: Visitor, manager: Member) -> None:
    assert set_password(stranger, link_for(manager), f" {NEW} ").status_code == 302
    assert Visitor("198.51.100.20").sign_in(manager, NEW).status_code == 403
    assert Visitor("198.51.100.20").sign_in(manager, f" {NEW} ").status_code == 302


@pytest.mark.statement("S09")
def test_a_link_works_once(stranger: Visitor, manager: Member) -> None:
    link = link_for(manager)
    stranger.get(link)
    assert set_password(stranger, link).status_code == 302
    for response in (Visitor().get(link), set_password(stranger, link, "another long passphrase")):
        assert response.status_code == 410
    assert Visitor("198.51.100.20").sign_in(manager, NEW).status_code == 302


def test_opening_the_form_does_not_use_up_the_link(stranger: Visitor, manager: Member) -> None:
    """Email scanners open every link first."""
    link = link_for(manager)
    for _ in range(3):
        assert stranger.get(link).status_code == 200
    assert stranger.client.head(link, secure=True).status_code == 200
    assert set_password(stranger, link).status_code == 302


@pytest.mark.parametrize("token", ["nothing", "1:2:3", "%00", "é", "x" * 5000])
def test_an_invalid_link_is_reported_with_what_to_do(token: str, stranger: Visitor) -> None:
    response = stranger.get(f"/password/{token}")
    assert response.status_code == 410
    page = read(response)
    assert page.heading == "This link no longer works"
    assert (
        "This link has expired, has already been used, or isn't complete. Request a new one."
        in page.text
    )
    assert page.links == {"sign in": "/sign-in", "Request a new link": "/forgotten-password"}


def test_the_link_of_an_inactive_member_does_not_work(stranger: Visitor, manager: Member) -> None:
    link = link_for(manager)
    Member.objects.filter(pk=manager.pk).update(is_active=False)
    assert stranger.get(link).status_code == 410


def test_setting_a_password_ends_all_earlier_sessions(
    visitor: SignedIn, stranger: Visitor, manager: Member
) -> None:
    elsewhere = visitor(manager)
    set_password(stranger, link_for(manager))
    assert elsewhere.get("/account").status_code == 302
    assert stranger.get("/account").status_code == 200


def test_setting_a_password_ends_the_session_of_another_member_in_this_browser(
    visitor: SignedIn, manager: Member, neighbor: Member
) -> None:
    browser = visitor(neighbor)
    set_password(browser, link_for(manager))
    text = browser.read("/account").text
    assert "Maple USD" in text
    assert "Cedar" not in text
    assert not Session.objects.filter(member=neighbor).exists()


def test_a_form_on_another_site_sets_no_password(stranger: Visitor, manager: Member) -> None:
    link = link_for(manager)
    response = stranger.client.post(
        link, {"new": NEW, "again": NEW}, secure=True, headers={"Origin": HERE}
    )
    assert (response.status_code, read(response).heading) == (403, "The form has expired")
    assert set_password(stranger, link).status_code == 302


def test_the_token_of_a_link_is_not_logged(
    stranger: Visitor, manager: Member, log: pytest.LogCaptureFixture
) -> None:
    link = link_for(manager)
    token = link.rpartition("/")[2]
    stranger.client.post(link, {"new": NEW}, secure=True)  # Django logs the missing CSRF token
    set_password(stranger, link)
    stranger.get(link)
    assert "GET /password/<str:token> 200 in" in log.text
    assert "POST /password/<str:token> 302 in" in log.text
    assert "GET /password/<str:token> 410 in" in log.text
    assert token not in log.text
    assert NEW not in log.text


def test_the_page_refers_to_no_other_server(stranger: Visitor, manager: Member) -> None:
    response = stranger.get(link_for(manager))
    assert response["Referrer-Policy"] == "same-origin"
    assert "no-store" in response["Cache-Control"]
    root = read(response).root
    addresses = [
        value
        for element in root.iter()
        for name, value in element.items()
        if name in {"href", "src", "action"}
    ]
    assert [address for address in addresses if not address.startswith(("/", "#"))] == []
