"""A cache of recent successful sign-ins, so that not every request of a script is hashed.

Each process has its own, in memory, with keyed digests instead of passwords. The stored hash is
part of the digest, so an entry doesn't match once the password is changed.
"""

import hashlib
import secrets
import threading
from time import monotonic

LIFETIME_S = 300.0
MAX_ENTRIES = 10_000


class SignInCache:
    """The latest ``MAX_ENTRIES`` sign-ins of the last ``LIFETIME_S`` seconds."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._expirations: dict[bytes, float] = {}
        self._lock = threading.Lock()

    def contains(self, member: int, stored: str, password: str) -> bool:
        """Return whether the password was recently right for the member with this stored hash."""
        digest = self._digest(member, stored, password)
        return self._expirations.get(digest, 0.0) > monotonic()

    def add(self, member: int, stored: str, password: str) -> None:
        """Add a password that is right for the member with this stored hash."""
        now = monotonic()
        digest = self._digest(member, stored, password)
        with self._lock:
            self._expirations.pop(digest, None)
            self._expirations[digest] = now + LIFETIME_S
            self._remove_old(now)

    def clear(self) -> None:
        """Remove all entries."""
        with self._lock:
            self._expirations.clear()

    def _remove_old(self, now: float) -> None:
        """Remove expired entries, or else the oldest ones beyond ``MAX_ENTRIES``.

        Entries are in the order in which they were added, and so in which they expire.
        """
        old = [digest for digest, end in self._expirations.items() if end <= now]
        if not old:
            surplus = max(0, len(self._expirations) - MAX_ENTRIES)
            old = list(self._expirations)[:surplus]
        for digest in old:
            del self._expirations[digest]

    def _digest(self, member: int, stored: str, password: str) -> bytes:
        text = "\0".join((str(member), stored, password)).encode("utf-8", "surrogatepass")
        return hashlib.blake2b(text, key=self._key, digest_size=16).digest()
