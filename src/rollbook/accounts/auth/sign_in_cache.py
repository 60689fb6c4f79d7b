"""Sign-ins that have just succeeded, so that a script which asks every second is not hashed for every second.

Each process remembers for itself, in its memory only, and a keyed digest instead of the password. The stored hash is
part of what is remembered: a changed password is not known any more.
"""

import hashlib
import secrets
import threading
from time import monotonic

SECONDS = 300.0
MOST = 10_000


class SignInCache:
    """What was noted within the last ``SECONDS``, the latest ``MOST`` of it."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._until: dict[bytes, float] = {}
        self._lock = threading.Lock()

    def contains(self, member: int, stored: str, password: str) -> bool:
        """Whether this password was right for this member while the same hash was stored."""
        return self._until.get(self._digest(member, stored, password), 0.0) > monotonic()

    def add(self, member: int, stored: str, password: str) -> None:
        """The password is right."""
        now = monotonic()
        with self._lock:
            self._until.pop(digest := self._digest(member, stored, password), None)
            self._until[digest] = now + SECONDS
            # In the order in which they were noted, and so in which they end.
            gone = [old for old, until in self._until.items() if until <= now]
            for old in gone or list(self._until)[: max(0, len(self._until) - MOST)]:
                del self._until[old]

    def clear(self) -> None:
        """Everything."""
        with self._lock:
            self._until.clear()

    def _digest(self, member: int, stored: str, password: str) -> bytes:
        said = "\0".join((str(member), stored, password)).encode("utf-8", "surrogatepass")
        return hashlib.blake2b(said, key=self._key, digest_size=16).digest()
