"""Who is let in to the operators' pages: whoever has seen the terminal in which ``rollbook admin`` runs.

It prints a secret that is good once. The browser that brings it gets a cookie; what the cookie must say is known to the
process alone, so that nothing of it is left when the command has ended.
"""

import hashlib
import secrets
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from rollbook.accounts.audit import log
from rollbook.districts.models import District
from rollbook.web.http.client import address_of, agent_of

ACTION = "operators' pages"
COOKIE = "__Host-operator"
IDLE_TIMEOUT = timedelta(minutes=30)


class OneTimeLogin:
    """It opens once, for the secret, and then for the browser that has brought it until that leaves or stays away."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._awaited = ""
        self._let_in = ""
        self._seen_at = timezone.now()

    def issue_secret(self) -> str:
        """A new secret, the only one that opens from now on."""
        secret = secrets.token_urlsafe(24)
        with self._lock:
            self._awaited, self._let_in = _digest(secret), ""
        return secret

    def redeem(self, secret: str, now: datetime) -> str:
        """What the browser's cookie has to say from now on; nothing if this is not the secret, or is not any more."""
        with self._lock:
            if not (self._awaited and secrets.compare_digest(_digest(secret), self._awaited)):
                return ""
            key = secrets.token_urlsafe(24)
            self._awaited, self._let_in, self._seen_at = "", _digest(key), now
        return key

    def is_signed_in(self, key: str, now: datetime) -> bool:
        """Whether this is the browser that was let in."""
        with self._lock:
            is_known = bool(self._let_in) and secrets.compare_digest(_digest(key), self._let_in)
            if is_known and now - self._seen_at > IDLE_TIMEOUT:
                is_known, self._let_in = False, ""
            if is_known:
                self._seen_at = now
        return is_known

    def sign_out(self) -> None:
        """Nobody is in any more."""
        with self._lock:
            self._let_in = ""


one_time_login = OneTimeLogin()


class Operator(AnonymousUser):
    """Whoever asks; a member of no district, and no row of any table."""

    def __init__(self, *, is_in: bool) -> None:
        super().__init__()
        self.is_in = is_in


def operator(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Let every request know who asks."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        is_in = one_time_login.is_signed_in(request.COOKIES.get(COOKIE, ""), timezone.now())
        request.user = Operator(is_in=is_in)
        return get_response(request)

    return middleware


def is_in(request: HttpRequest) -> bool:
    """Whether an operator asks."""
    return getattr(request.user, "is_in", False)


def note(
    request: HttpRequest, result: str, detail: str = "", district: District | None = None
) -> None:
    """Write into the audit, into the district's if it is one's, what an operator saw or did."""
    log.record(
        ACTION,
        result,
        district=district,
        address=address_of(request),
        agent=agent_of(request),
        detail=detail,
    )


def _digest(text: str) -> str:
    """Of a secret that is random and long: nobody finds it by trying."""
    return hashlib.blake2b(text.encode(), digest_size=32).hexdigest()
