"""Browsers in which members are signed in: how one begins, how long it lasts, and what ends it.

The cookie holds a random key, the database only its digest, so that a copy of the database opens no session. Idle for
``IDLE``, or begun ``LONGEST`` ago, it is over, whatever the browser keeps. A changed password ends it too: Django
compares a keyed digest of the stored hash, which the session carries, with today's.
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
LONGEST_AGENT = 200  # characters: which program it is stands at the end
SEEN_EVERY = timedelta(minutes=1)  # for each note somebody has to wait for the disk

PENDING_LIFETIME = timedelta(minutes=5)

BACKEND = f"{__name__}.Backend"
_BEGUN_AT, _ADDRESS, _AGENT = "started_at", "address", "agent"
_HALF_WAY, _DRAFT = "half_way", "second_factor_draft"


class Backend:
    """How Django comes from the key of a member to the member; passwords are the business of signing_in.py."""

    def get_user(self, member_id: int) -> Member | None:
        found = Member.objects.select_related("district", "role", "second_factor")
        return found.filter(pk=member_id, is_active=True).first()


class SessionStore(db.SessionStore):
    """Django's sessions in the database, named by a digest, with an end that the server keeps."""

    watching = False
    """Whether a page asks by itself, again and again: that must not keep a session alive whose member has gone."""

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def exists(self, session_key: str) -> bool:
        return Session.objects.filter(pk=_digest(session_key)).exists()

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key:
            with transaction.atomic():
                Session.objects.filter(pk=_digest(key)).delete()

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        now = timezone.now()
        started_at = datetime.fromisoformat(data[_BEGUN_AT]) if _BEGUN_AT in data else now
        return Session(
            session_key=_digest(self.session_key),
            session_data=self.encode(data),
            member_id=data.get(auth.SESSION_KEY),
            address=data.get(_ADDRESS),
            agent=data.get(_AGENT, ""),
            started_at=started_at,
            last_seen_at=now,
            expire_date=_end(started_at, now),
        )

    def _get_session_from_db(self) -> Session | None:
        """The row, if it lives; being asked for, it is seen."""
        now = timezone.now()
        row = Session.objects.filter(pk=_digest(self.session_key), expire_date__gt=now).first()
        if row is None:
            self._session_key = None
        elif not self.watching and now - row.last_seen_at >= SEEN_EVERY:
            with transaction.atomic():
                Session.objects.filter(pk=row.pk).update(
                    last_seen_at=now, expire_date=_end(row.started_at, now)
                )
        return row


@dataclass(frozen=True)
class ActiveSession:
    """A session as its member sees it. ``handle`` names it, and is not what the browser holds."""

    handle: str
    started_at: datetime
    last_seen_at: datetime
    address: str
    agent: str
    is_this: bool


def begin(request: HttpRequest, member: Member, address: str, agent: str, now: datetime) -> None:
    """The member, who has just signed in, is known to this browser from now on, under a new key."""
    request.session.flush()
    auth.login(request, member, BACKEND)
    request.session[_BEGUN_AT] = now.isoformat()
    request.session[_ADDRESS] = address
    request.session[_AGENT] = log.single_line(agent, LONGEST_AGENT)
    log.record("begin session", "ok", member=member, address=address, agent=agent, now=now)


def begin_pending(request: HttpRequest, member: Member, now: datetime) -> None:
    """The member's password was right in this browser, and the code is still to come: nobody is known to it yet."""
    request.session.flush()
    proof = member.get_session_auth_hash()
    request.session[_HALF_WAY] = {
        "member": member.pk,
        "proof": proof,
        "until": (now + PENDING_LIFETIME).isoformat(),
    }


def pending_member(request: HttpRequest, now: datetime) -> Member | None:
    """Whose password was right in this browser within ``HALF_WAY``, if the member is active and it is still that."""
    half = request.session.get(_HALF_WAY)
    if half is None or now >= datetime.fromisoformat(half["until"]):
        return None
    member = Backend().get_user(half["member"])
    if member is None or not constant_time_compare(half["proof"], member.get_session_auth_hash()):
        return None
    return member


def pending_totp_secret(request: HttpRequest, make: Callable[[], str]) -> str:
    """The sealed secret that this session keeps until a second factor is switched on with it; made if there is none."""
    if _DRAFT not in request.session:
        request.session[_DRAFT] = make()
    kept: str = request.session[_DRAFT]
    return kept


def clear_pending_totp_secret(request: HttpRequest) -> None:
    """It has become a second factor."""
    request.session.pop(_DRAFT, None)


def end(request: HttpRequest) -> None:
    """Nobody is known to this browser any more."""
    request.session.flush()


def member_of(request: HttpRequest) -> Member | None:
    """Who is signed in, with the district; it ends the session of one who is not active any more, or has another
    password since.
    """
    user = auth.get_user(request)
    if isinstance(user, Member):
        return user
    if auth.SESSION_KEY in request.session:
        request.session.flush()
    return None


def mark_background_poll(request: HttpRequest) -> None:
    """Do not count this request as activity: a page sends it, and the member may have left."""
    if isinstance(request.session, SessionStore):
        request.session.watching = True


def active_sessions(member: Member, request: HttpRequest) -> list[ActiveSession]:
    """The member's sessions, the one that was seen last first."""
    this = _digest(request.session.session_key)
    living = Session.objects.filter(member=member, expire_date__gt=timezone.now()).order_by(
        "-last_seen_at", "pk"
    )
    return [
        ActiveSession(
            row.pk,
            row.started_at,
            row.last_seen_at,
            row.address or "",
            row.agent,
            is_this=row.pk == this,
        )
        for row in living
    ]


def end_one(member: Member, handle: str) -> bool:
    """End this session of the member's; whether there was one."""
    with transaction.atomic():
        ended, _ = Session.objects.filter(member=member, pk=handle.replace("\0", "")).delete()
    return ended > 0


def end_others(request: HttpRequest, member: Member) -> int:
    """End the member's sessions except the one that asks; returns how many."""
    with transaction.atomic():
        ended, _ = (
            Session.objects.filter(member=member)
            .exclude(pk=_digest(request.session.session_key))
            .delete()
        )
    return ended


def end_all(member: Member) -> int:
    """End every session of the member; returns how many."""
    with transaction.atomic():
        ended, _ = Session.objects.filter(member=member).delete()
    return ended


def sweep(now: datetime) -> int:
    """Remove what is over; returns how many that were."""
    with transaction.atomic():
        ended, _ = Session.objects.filter(expire_date__lte=now).delete()
    return ended


def _end(started_at: datetime, last_seen_at: datetime) -> datetime:
    return min(last_seen_at + IDLE, started_at + LONGEST)


def _digest(key: str | None) -> str:
    """Of a key that is random and long: nobody finds it by trying. Without one it is the digest of no session."""
    return hashlib.blake2b((key or "").encode(), digest_size=20).hexdigest()
