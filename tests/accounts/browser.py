"""A simulated browser with cookies, which uses Django's session middleware, and a clock."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest
from django.conf import settings
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.utils import timezone

from rollbook.accounts.auth import sessions
from rollbook.accounts.models import Member

HERE = "203.0.113.7"
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)

T = TypeVar("T")


class Browser:
    """A browser with its own cookies."""

    def __init__(self) -> None:
        self.cookies: dict[str, str] = {}

    def ask(self, view: Callable[[HttpRequest], T]) -> T:
        """Call a view with a new request, and return its result."""
        results: list[T] = []

        def respond(request: HttpRequest) -> HttpResponse:
            results.append(view(request))
            return HttpResponse()

        request = RequestFactory().get("/", secure=True)
        request.COOKIES = dict(self.cookies)
        response = SessionMiddleware(respond)(request)
        assert isinstance(response, HttpResponse)
        self._store_cookies(response)
        return results[0]

    def sign_in(self, member: Member, agent: str = "Firefox") -> None:
        self.ask(lambda request: sessions.begin(request, member, HERE, agent, timezone.now()))

    def member(self) -> Member | None:
        return self.ask(sessions.member_of)

    @property
    def key(self) -> str:
        return self.cookies.get(settings.SESSION_COOKIE_NAME, "")

    def _store_cookies(self, response: HttpResponse) -> None:
        for name, cookie in response.cookies.items():
            if cookie["max-age"] == 0:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = cookie.value


class Clock:
    """Replaces Django's current time with one that only changes when it is moved."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = NOW
        monkeypatch.setattr(timezone, "now", lambda: self.now)

    def move(self, **span: float) -> None:
        self.now += timedelta(**span)
