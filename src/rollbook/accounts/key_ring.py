"""The versions of each secret key: one to write with, and all that can still be read.

Which versions exist and which one is active is stored in the database, so all processes of all
machines agree; the bytes are in files of each machine. Every process reads the versions again after
``REFRESH_S``, so a rotation needs no restart. A machine that doesn't have the active version yet
continues to write with the newest one it has. Why: docs/decisions/0029-key-rotation.md.
"""

import logging
import math
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.db import Error

from rollbook.accounts.models import KeyFingerprint, KeyState
from rollbook.secret_keys import (
    FIRST_VERSION,
    KeyUnusable,
    derive_key,
    file_name,
    fingerprint,
    load_or_create_key,
    read_key,
)

SESSION = "session"
LOGINS = "logins"
STUDENT_PASSWORDS = "student-passwords"
STUDENT_PASSWORD_MARKS = "student-password-marks"  # noqa: S105 - the name of a key
ROW_DIGESTS = "row-digests"
DISTRICT_KEYS = "district-keys"
NAMES = (SESSION, LOGINS, STUDENT_PASSWORDS, STUDENT_PASSWORD_MARKS, ROW_DIGESTS, DISTRICT_KEYS)

REFRESH_S = 5.0
"""How long a process uses the versions of keys before it reads them again."""

RETRY_S = 1.0
"""Time before the versions are read again because of a value with an unknown one."""

READABLE = (KeyState.STAGED, KeyState.ACTIVE, KeyState.RETIRED)

log = logging.getLogger(__name__)


class KeyVersion(NamedTuple):
    """What the database contains of a version of a key."""

    version: int
    state: str
    fingerprint: str


Versions = Mapping[str, tuple[KeyVersion, ...]]
"""All versions of each key by its name, in ascending order."""


@dataclass(frozen=True)
class KeyRing:
    """The versions of one key that this machine has.

    Attributes:
        name: The name of the key.
        current: The version to write with.
        keys: The bytes of each version that can be read.
        lost: The versions whose loss was accepted.
        is_complete: Whether the machine has all versions.
    """

    name: str
    current: int
    keys: Mapping[int, bytes]
    lost: frozenset[int] = frozenset()
    is_complete: bool = True

    @property
    def key(self) -> bytes:
        """The bytes to write with."""
        return self.keys[self.current]

    def derive(self, purpose: str, version: int | None = None) -> bytes:
        """Derive 32 bytes for one purpose.

        Args:
            purpose: What they are for.
            version: The version of the key; None: the one to write with.

        Raises:
            KeyError: This machine doesn't have the version.
        """
        return derive_key(self.keys[version or self.current], purpose)

    def newest_first(self) -> list[bytes]:
        """Return the key to write with, followed by the others, newest first."""
        others = sorted(self.keys.keys() - {self.current}, reverse=True)
        return [self.keys[version] for version in (self.current, *others)]


class _Cache:
    """The versions and rings of this process; all its threads share them."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.versions: Versions | None = None
        self.folder: Path | None = None
        self.read_at = -math.inf
        self.rings: dict[str, KeyRing] = {}


_cache = _Cache()


def ring(name: str) -> KeyRing:
    """Return the versions of a key; a key that isn't in the database yet is created if needed.

    Raises:
        KeyUnusable: This machine has no version that can be read.
    """
    if time.monotonic() - _cache.read_at > REFRESH_S:
        refresh()
    elif _cache.folder != settings.KEYS:  # only in tests
        assume(_cache.versions or {})
    return _cache.rings.get(name) or _load_once(name)


def ring_with(name: str, version: int) -> KeyRing:
    """Return the versions of a key, read again if this version isn't among them."""
    found = ring(name)
    is_unknown = version not in found.keys and version not in found.lost
    if is_unknown and time.monotonic() - _cache.read_at > RETRY_S:
        refresh()
        found = ring(name)
    return found


def refresh() -> Versions:
    """Read from the database which versions exist and which are active, and return them.

    If that isn't possible, the process continues with those it has read before.
    """
    with _cache.lock:
        versions = _cache.versions
        try:
            versions = load_versions()
        except Error:
            if versions is None:
                raise
            log.warning("the versions of the keys cannot be read", exc_info=True)
        _use(versions)
        _cache.read_at = time.monotonic()
        return versions


def assume(versions: Versions) -> None:
    """Use these versions without reading the database, until the next refresh."""
    with _cache.lock:
        _cache.folder = None
        _use(versions)
        _cache.read_at = time.monotonic()


def load_versions() -> Versions:
    """Read all versions of all keys from the database."""
    versions: dict[str, tuple[KeyVersion, ...]] = {}
    rows = KeyFingerprint.objects.order_by("name", "version")
    for row in rows:
        version = KeyVersion(row.version, row.state, row.fingerprint)
        versions[row.name] = (*versions.get(row.name, ()), version)
    return versions


def read_version(folder: Path, name: str, version: KeyVersion) -> bytes:
    """Return the bytes of a version.

    Raises:
        KeyUnusable: The file is missing or damaged, or contains another key.
    """
    key = read_key(folder, name, version.version)
    if fingerprint(key) != version.fingerprint:
        path = folder / file_name(name, version.version)
        raise KeyUnusable(path, "is not the key that the database has been used with")
    return key


def _use(versions: Versions) -> None:
    are_equal = versions == _cache.versions and _cache.folder == settings.KEYS
    if not are_equal or not all(found.is_complete for found in _cache.rings.values()):
        _cache.rings = {}
    _cache.versions, _cache.folder = versions, settings.KEYS


def _load_once(name: str) -> KeyRing:
    """Load the versions of a key, unless another thread has done so meanwhile.

    The lock prevents a thread from keeping versions that another one has just replaced.
    """
    with _cache.lock:
        if name not in _cache.rings:
            _cache.rings[name] = _load(name)
            if name == SESSION:
                _set_secret_keys(_cache.rings[name])
        return _cache.rings[name]


def _load(name: str) -> KeyRing:
    versions = (_cache.versions or {}).get(name, ())
    if not versions:
        return KeyRing(name, FIRST_VERSION, {1: load_or_create_key(settings.KEYS, name)})
    keys: dict[int, bytes] = {}
    problem: KeyUnusable | None = None
    for version in versions:
        if version.state in READABLE:
            try:
                keys[version.version] = read_version(settings.KEYS, name, version)
            except KeyUnusable as error:
                problem = error
    if problem and not keys:
        raise problem
    active = next(each.version for each in versions if each.state == KeyState.ACTIVE)
    lost = (each.version for each in versions if each.state == KeyState.LOST)
    current = active if active in keys else max(keys)
    return KeyRing(name, current, keys, frozenset(lost), is_complete=problem is None)


def _set_secret_keys(session: KeyRing) -> None:
    """Let Django sign with the current key, and accept signatures of the others."""
    current, *others = session.newest_first()
    settings.SECRET_KEY = current.hex()
    settings.SECRET_KEY_FALLBACKS = [key.hex() for key in others]


def refresh_session_key(**_: object) -> None:
    """Read the session key again if that is due; called before each request."""
    with suppress(Error, KeyUnusable):  # what needs the key reports it
        ring(SESSION)
