"""Test browsers, which use HTTPS and CSRF tokens, and sign in through the real form."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils.http import urlencode

from rollbook.accounts.models import Member
from rollbook.districts.models import District, School
from tests.accounts.browser import Clock
from tests.conftest import PASSWORD, make_member
from tests.web.pages.reading import Page, read

HERE = "https://testserver"
ADDRESS = "203.0.113.7"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
FORM = "application/x-www-form-urlencoded"

SignedIn = Callable[[Member], "Visitor"]


class Visitor:
    """A browser in which nobody is signed in at first. It does not follow redirects."""

    def __init__(self, address: str = ADDRESS, agent: str = FIREFOX) -> None:
        self.client = Client(
            enforce_csrf_checks=True,
            headers={"Accept": "text/html", "User-Agent": agent},
            REMOTE_ADDR=address,
        )

    def sign_in(self, member: Member, password: str = PASSWORD, **query: str) -> Any:
        """Request the sign-in form, unless there is a token for it, and submit it."""
        if not self.token:
            self.get("/sign-in")
        address = "/sign-in" + (f"?{urlencode(query)}" if query else "")
        return self.post(address, {"login": member.email, "password": password})

    def get(
        self, address: str, query: Mapping[str, Any] | None = None, *, htmx: bool = False
    ) -> Any:
        """Request a page; with ``htmx`` as htmx does."""
        return self.client.get(
            address, query, secure=True, headers={"HX-Request": "true"} if htmx else {}
        )

    def post(
        self, address: str, fields: Mapping[str, Any] | None = None, *, htmx: bool = False
    ) -> Any:
        """Submit a form as a browser does, with its CSRF token; as multipart if it has a file."""
        headers = {"Origin": HERE} | ({"HX-Request": "true"} if htmx else {})
        data = {"csrfmiddlewaretoken": self.token, **(fields or {})}
        if any(hasattr(value, "read") for value in data.values()):
            return self.client.post(address, data, secure=True, headers=headers)
        body = urlencode(data, doseq=True)
        return self.client.post(address, body, content_type=FORM, secure=True, headers=headers)

    def confirm(self, address: str, fields: Mapping[str, Any] | None = None) -> Any:
        """Submit a form that asks before it does something, and then its question."""
        asked = self.post(address, fields)
        assert asked.status_code == 200, read(asked).text
        return self.post(address, read(asked).form(address).values)

    def read(self, address: str, query: Mapping[str, Any] | None = None) -> Page:
        """Request a page, which must exist, and parse it."""
        response = self.get(address, query)
        assert response.status_code == 200, response
        return read(response)

    def search(self, address: str, filters: Mapping[str, Any]) -> Page:
        """Submit the filters of a list, and follow the redirect to the list."""
        return self.follow(self.post(address, filters))

    def follow(self, response: Any) -> Page:
        """Follow the redirect of a response, and parse the page."""
        assert response.status_code == 302, read(response).text
        return self.read(response["Location"])

    @property
    def token(self) -> str:
        """The CSRF token, which is in a hidden field of every form."""
        cookie = self.client.cookies.get(settings.CSRF_COOKIE_NAME)
        return cookie.value if cookie else ""


@cache
def _token() -> str:
    """Return the token of a sign-in form, which any browser can have been given."""
    browser = Visitor()
    browser.get("/sign-in")
    return browser.token


@pytest.fixture
def stranger(db: None) -> Visitor:
    """A browser in which nobody is signed in."""
    return Visitor()


@pytest.fixture
def visitor(db: None) -> SignedIn:
    """Return a function that signs a member in whose password is PASSWORD."""

    def signed_in(member: Member) -> Visitor:
        browser = Visitor()
        browser.client.cookies[settings.CSRF_COOKIE_NAME] = _token()
        response = browser.sign_in(member)
        assert (response.status_code, response["Location"]) == (302, "/"), read(response).text
        return browser

    return signed_in


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock that only moves when a test moves it."""
    return Clock(monkeypatch)


@pytest.fixture
def school_manager(maple: District) -> Member:
    """A school manager of School 100."""
    return of_school(maple, "school@maple.example", "school manager")


@pytest.fixture
def instructor(maple: District) -> Member:
    """An instructor at School 100, without students."""
    return of_school(maple, "teacher@maple.example", "instructor")


def of_school(district: District, email: str, role: str) -> Member:
    member = make_member(district, email, role)
    member.schools.set([School.objects.get(district=district, organization_id="100")])
    return member
