"""Browsers: every page is asked over HTTPS, with forms protected, by members who came through the real sign-in."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from django.test import Client
from django.utils.http import urlencode

from rollbook.accounts.models import Member
from rollbook.districts.models import District, School
from tests.accounts.browser import Clock
from tests.conftest import PASSWORD, a_member
from tests.web.pages.reading import Page, read

HERE = "https://testserver"
ADDRESS = "203.0.113.7"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
FORM = "application/x-www-form-urlencoded"

SignedIn = Callable[[Member], "Visitor"]


class Visitor:
    """One browser, in which nobody is signed in at first. Answers are not followed unless a test says so."""

    def __init__(self, address: str = ADDRESS, agent: str = FIREFOX) -> None:
        self.client = Client(
            enforce_csrf_checks=True,
            headers={"Accept": "text/html", "User-Agent": agent},
            REMOTE_ADDR=address,
        )

    def sign_in(self, member: Member, password: str = PASSWORD, **query: str) -> Any:
        """Through the form, as everybody does."""
        self.get("/sign-in")
        address = "/sign-in" + (f"?{urlencode(query)}" if query else "")
        return self.post(address, {"login": member.email, "password": password})

    def get(
        self, address: str, query: Mapping[str, Any] | None = None, *, htmx: bool = False
    ) -> Any:
        """Ask for a page; ``htmx`` asks as the script does."""
        return self.client.get(
            address, query, secure=True, headers={"HX-Request": "true"} if htmx else {}
        )

    def post(
        self, address: str, fields: Mapping[str, Any] | None = None, *, htmx: bool = False
    ) -> Any:
        """Send a form as a browser does, with the token it was given; as multipart if there is a file in it."""
        headers = {"Origin": HERE} | ({"HX-Request": "true"} if htmx else {})
        data = {"csrfmiddlewaretoken": self.token, **(fields or {})}
        if any(hasattr(value, "read") for value in data.values()):
            return self.client.post(address, data, secure=True, headers=headers)
        body = urlencode(data, doseq=True)
        return self.client.post(address, body, content_type=FORM, secure=True, headers=headers)

    def read(self, address: str, query: Mapping[str, Any] | None = None) -> Page:
        """A page that must be there."""
        response = self.get(address, query)
        assert response.status_code == 200, response
        return read(response)

    def follow(self, response: Any) -> Page:
        """The page that an answer leads to."""
        assert response.status_code == 302, read(response).text
        return self.read(response["Location"])

    @property
    def token(self) -> str:
        """What the hidden field of every form holds, as far as the server is concerned."""
        cookie = self.client.cookies.get("__Host-csrf")
        return cookie.value if cookie else ""


@pytest.fixture
def stranger(db: None) -> Visitor:
    """A browser in which nobody is signed in."""
    return Visitor()


@pytest.fixture
def visitor(db: None) -> SignedIn:
    """Makes a browser in which this member, whose password is PASSWORD, has signed in."""

    def signed_in(member: Member) -> Visitor:
        browser = Visitor()
        response = browser.sign_in(member)
        assert (response.status_code, response["Location"]) == (302, "/"), read(response).text
        return browser

    return signed_in


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Time that stands still until it is moved."""
    return Clock(monkeypatch)


@pytest.fixture
def school_manager(maple: District) -> Member:
    """Of School 100 alone."""
    return _of_school(maple, "school@maple.example", "school manager")


@pytest.fixture
def instructor(maple: District) -> Member:
    """At School 100, with no students yet."""
    return _of_school(maple, "teacher@maple.example", "instructor")


def _of_school(district: District, email: str, role: str) -> Member:
    member = a_member(district, email, role)
    member.schools.set([School.objects.get(district=district, organization_id="100")])
    return member
