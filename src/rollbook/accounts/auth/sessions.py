"""Browser sessions of members: how they begin, how long they last, and what ends them.

The cookie contains a random key, and the database only its digest, so a copy of the database is
not enough to use a session. A session expires on the server after ``IDLE`` without requests, and
``LONGEST`` after sign-in. A new password ends it, because Django compares a keyed digest of the
stored hash with the one in the session.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib import auth
from django.contrib.sessions.backends import db
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from rollbook.accounts.audit import log
from rollbook.accounts.models import Member, Session

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)
MAX_AGENT_LENGTH = 200  # characters; the browser's name is at the end of a User-Agent
LAST_SEEN_RESOLUTION = timedelta(minutes=1)  # each update makes a request wait for the disk

PROOF_LIFETIME = timedelta(minutes=30)
"""How long after a proof of who they are a member may do something sensitive."""

PENDING_LIFETIME = timedelta(minutes=5)

BACKEND = f"{__name__}.Backend"
_STARTED_AT, _ADDRESS, _AGENT, _PROVED_AT = "started_at", "address", "agent", "proved_at"
_IS_FIRST = "is_first"
_PENDING, _PENDING_SECRET = "pending_sign_in", "pending_totp_secret"


class Backend:
    """Django's authentication backend; only loads members, ``sign_in.py`` checks passwords."""

    def get_user(self, member_id: int) -> Member | None:
        """Return the active member with this primary key, or None."""
        members = Member.objects.select_related("district", "role", "second_factor")
        return members.filter(pk=member_id, is_active=True).first()


class SessionStore(db.SessionStore):
    """Django's database sessions, with a digest as the key and an expiry set by the server."""

    watching = False
    """Whether a page sends this request by itself, so that it must not extend the session."""

    @classmethod
    def get_model_class(cls) -> type[Session]:
        """Return the model."""
        return Session

    def exists(self, session_key: str) -> bool:
        """Return whether there is a session with this key."""
        return Session.objects.filter(pk=_digest(session_key)).exists()

    def delete(self, session_key: str | None = None) -> None:
        """Delete the session with this key; None: this session."""
        key = session_key or self.session_key
        if key:
            with transaction.atomic():
                Session.objects.filter(pk=_digest(key)).delete()

    def cycle_key(self) -> None:
        """Keep the key.

        A session begins with a new one. Besides that, Django calls this for sessions from before a
        rotation of the secret key, and another request with the previous key would be signed out.
        """

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        """Return a row, not saved, with this session data."""
        now = timezone.now()
        started_at = now
        if _STARTED_AT in data:
            started_at = datetime.fromisoformat(data[_STARTED_AT])
        return Session(
            session_key=_digest(self.session_key),
            session_data=self.encode(data),
            member_id=data.get(auth.SESSION_KEY),
            address=data.get(_ADDRESS),
            agent=data.get(_AGENT, ""),
            started_at=started_at,
            last_seen_at=now,
            expire_date=_expiry(started_at, now),
        )

    def _get_session_from_db(self) -> Session | None:
        """Return the row if it hasn't expired, and update when it was last seen."""
        now = timezone.now()
        row = Session.objects.filter(pk=_digest(self.session_key), expire_date__gt=now).first()
        if row is None:
            self._session_key = None
        elif not self.watching and now - row.last_seen_at >= LAST_SEEN_RESOLUTION:
            with transaction.atomic():
                Session.objects.filter(pk=row.pk).update(
                    last_seen_at=now, expire_date=_expiry(row.started_at, now)
                )
        return row


@dataclass(frozen=True)
class ActiveSession:
    """A session as shown to its member.

    Attributes:
        handle: Identifies the session, but isn't the key in the cookie.
        started_at: When the member signed in.
        last_seen_at: Accurate to one minute.
        address: The IP address at sign-in.
        agent: The User-Agent at sign-in.
        is_this: Whether it is the session of the request.
    """

    handle: str
    started_at: datetime
    last_seen_at: datetime
    address: str
    agent: str
    is_this: bool


def begin(request: HttpRequest, member: Member, address: str, agent: str, now: datetime) -> None:
    """Begin a session of a member who has just signed in, with a new key."""
    is_first = member.last_login is None
    request.session.flush()
    auth.login(request, member, BACKEND)
    request.session[_IS_FIRST] = is_first
    request.session[_STARTED_AT] = now.isoformat()
    request.session[_ADDRESS] = address
    request.session[_AGENT] = log.single_line(agent, MAX_AGENT_LENGTH)
    record_proof(request, now)
    log.record("begin session", "ok", member=member, address=address, agent=agent, now=now)


def record_proof(request: HttpRequest, now: datetime) -> None:
    """Remember that the member has just proved who they are."""
    request.session[_PROVED_AT] = now.isoformat()


def has_recent_proof(request: HttpRequest, now: datetime) -> bool:
    """Return whether the member has recently proved who they are in this session."""
    proved_at = request.session.get(_PROVED_AT) or request.session.get(_STARTED_AT)
    if proved_at is None:
        return False
    return now - datetime.fromisoformat(proved_at) < PROOF_LIFETIME


def is_first(request: HttpRequest) -> bool:
    """Return whether this is the first session of the member."""
    return bool(request.session.get(_IS_FIRST))


def begin_pending(request: HttpRequest, member: Member, now: datetime) -> None:
    """Remember in the browser's session that the password was right; the code is still needed."""
    request.session.flush()
    request.session[_PENDING] = {
        "member": member.pk,
        "auth_hash": member.get_session_auth_hash(),
        "expires_at": (now + PENDING_LIFETIME).isoformat(),
    }


def pending_member(request: HttpRequest, now: datetime) -> Member | None:
    """Return the member who entered their password in this browser and still needs a code.

    None if that was more than ``PENDING_LIFETIME`` ago, the member is inactive, or the password
    has been changed.
    """
    pending = request.session.get(_PENDING)
    if pending is None or now >= datetime.fromisoformat(pending["expires_at"]):
        return None
    member = Backend().get_user(pending["member"])
    if member is None:
        return None
    hashes = [member.get_session_auth_hash(), *member.get_session_auth_fallback_hash()]
    is_current = any(constant_time_compare(pending["auth_hash"], each) for each in hashes)
    return member if is_current else None


def pending_totp_secret(request: HttpRequest, make: Callable[[], str]) -> str:
    """Return the encrypted secret that the member is setting up; call ``make`` if there is none."""
    if _PENDING_SECRET not in request.session:
        request.session[_PENDING_SECRET] = make()
    secret: str = request.session[_PENDING_SECRET]
    return secret


def clear_pending_totp_secret(request: HttpRequest) -> None:
    """Remove the secret from the session, once two-step verification is on."""
    request.session.pop(_PENDING_SECRET, None)


def end(request: HttpRequest) -> None:
    """End the session of this browser."""
    request.session.flush()


def member_of(request: HttpRequest) -> Member | None:
    """Return the signed-in member with their district, or None.

    Ends the session if the member is inactive, or the password has been changed.
    """
    user = auth.get_user(request)
    if isinstance(user, Member):
        return user
    if auth.SESSION_KEY in request.session:
        request.session.flush()
    return None


def mark_background_poll(request: HttpRequest) -> None:
    """Don't extend the session; the page sent this request by itself."""
    if isinstance(request.session, SessionStore):
        request.session.watching = True


def active_sessions(member: Member, request: HttpRequest) -> list[ActiveSession]:
    """Return the member's sessions, most recently used first."""
    this = _digest(request.session.session_key)
    active = Session.objects.filter(member=member, expire_date__gt=timezone.now())
    return [
        ActiveSession(
            row.pk,
            row.started_at,
            row.last_seen_at,
            row.address or "",
            row.agent,
            is_this=row.pk == this,
        )
        for row in active.order_by("-last_seen_at", "pk")
    ]


def end_one(member: Member, handle: str) -> bool:
    """End the member's session with this handle, and return whether there was one."""
    with transaction.atomic():
        ended, _ = Session.objects.filter(member=member, pk=handle.replace("\0", "")).delete()
    return ended > 0


def end_others(request: HttpRequest, member: Member) -> int:
    """End the member's sessions except that of the request, and return how many."""
    this = _digest(request.session.session_key)
    with transaction.atomic():
        ended, _ = Session.objects.filter(member=member).exclude(pk=this).delete()
    return ended


def end_all(member: Member) -> int:
    """End all sessions of the member, and return how many."""
    with transaction.atomic():
        ended, _ = Session.objects.filter(member=member).delete()
    return ended


def sweep(now: datetime) -> int:
    """Delete expired sessions, and return how many."""
    with transaction.atomic():
        ended, _ = Session.objects.filter(expire_date__lte=now).delete()
    return ended


def _expiry(started_at: datetime, last_seen_at: datetime) -> datetime:
    return min(last_seen_at + IDLE, started_at + LONGEST)


def _digest(key: str | None) -> str:
    """Return the digest of a session key; for None one that no session has.

    Keys are random and can't be guessed, so the digest needs no key of its own.
    """
    return hashlib.blake2b((key or "").encode(), digest_size=20).hexdigest()
