"""Sign-in to the operators' site with a one-time secret.

``rollbook admin`` prints the secret. The browser that sends it gets a cookie, whose hash is only
kept in the memory of the process: when the command ends, the cookie is worthless.
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
from rollbook.system_accounts import acting_account
from rollbook.web.http.client import address_of, agent_of

ACTION = "operators' pages"
COOKIE = "__Host-operator"
IDLE_TIMEOUT = timedelta(minutes=30)


class OneTimeLogin:
    """The secret and the one browser that has signed in with it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._secret_digest = ""
        self._key_digest = ""
        self._seen_at = timezone.now()

    def issue_secret(self) -> str:
        """Return a new secret, which replaces the old one and signs out its browser."""
        secret = secrets.token_urlsafe(24)
        with self._lock:
            self._secret_digest, self._key_digest = _digest(secret), ""
        return secret

    def redeem(self, secret: str, now: datetime) -> str:
        """Use up the secret, and return the key for the browser's cookie; empty if it is wrong."""
        with self._lock:
            if not self._secret_digest:
                return ""
            if not secrets.compare_digest(_digest(secret), self._secret_digest):
                return ""
            key = secrets.token_urlsafe(24)
            self._secret_digest, self._key_digest, self._seen_at = "", _digest(key), now
        return key

    def is_signed_in(self, key: str, now: datetime) -> bool:
        """Return whether the key is that of the signed-in browser; this extends its session."""
        with self._lock:
            if not self._key_digest:
                return False
            if not secrets.compare_digest(_digest(key), self._key_digest):
                return False
            if now - self._seen_at > IDLE_TIMEOUT:
                self._key_digest = ""
                return False
            self._seen_at = now
        return True

    def sign_out(self) -> None:
        """Sign the browser out."""
        with self._lock:
            self._key_digest = ""


one_time_login = OneTimeLogin()


class Operator(AnonymousUser):
    """The user of a request to the operators' site; not a member, and not in any table."""

    def __init__(self, *, is_signed_in: bool) -> None:
        super().__init__()
        self.is_signed_in = is_signed_in


def operator(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Set ``request.user`` to an ``Operator`` (middleware)."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        key = request.COOKIES.get(COOKIE, "")
        request.user = Operator(is_signed_in=one_time_login.is_signed_in(key, timezone.now()))
        return get_response(request)

    return middleware


def is_operator(request: HttpRequest) -> bool:
    """Return whether the request is from a signed-in operator."""
    return getattr(request.user, "is_signed_in", False)


def audit(
    request: HttpRequest, result: str, detail: str = "", district: District | None = None
) -> None:
    """Record what an operator viewed or did, in the audit of the district if there is one.

    The operator is named by the account that runs ``rollbook admin``, which printed the secret.
    """
    log.record(
        ACTION,
        result,
        district=district,
        address=address_of(request),
        agent=f"rollbook admin, {acting_account()}: {agent_of(request)}",
        detail=detail,
    )


def _digest(text: str) -> str:
    """Return a hash; a fast one suffices because secrets are long and random."""
    return hashlib.blake2b(text.encode(), digest_size=32).hexdigest()
