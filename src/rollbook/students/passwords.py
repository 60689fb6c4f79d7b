"""Students' passwords: write-only, fast to import, slow to crack.

A stored password is ``method$salt$tag$verifier``. On import the verifier is an HMAC-SHA-256, so
students can sign in right away and slow hashes don't delay a first load; later, a task of low
priority wraps the verifier in argon2id. Both keys are stored outside the database.

The tag detects that a nightly file contains the password that a student already has. It is fast to
compute, so with all keys a guess is fast, too. Therefore it is computed with a second key, and then
with a key of the district, the mark key, which exists only while the district sends passwords; see
``updates/password_marks.py``. Other passwords have no tag. Why:
docs/decisions/0039-password-marks.md.

Neither can be computed again without the password. So after a rotation of their keys, stored
passwords keep naming the version that they need: ``hmac.2`` and ``argon2id.2`` are methods with the
second version of the verifier's key, and a tag ``2.…`` has the second version of its key.
"""

import hashlib
import hmac
import secrets
import unicodedata
from functools import cached_property, lru_cache, reduce
from operator import or_

import argon2
from django.db import connection, transaction
from django.db.models import Q

from rollbook.accounts import key_ring
from rollbook.secret_keys import FIRST_VERSION

_ARGON2 = argon2.PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_VERIFIERS, _MARKS = key_ring.STUDENT_PASSWORDS, key_ring.STUDENT_PASSWORD_MARKS
_WITHOUT_TAG = ("%$$$%", "hmac%", "%$$%")
"""Patterns of passwords without a tag: that of argon2id, whose verifiers begin with a dollar sign,
and two that apply together."""
_SEALED = "~"
"""The beginning of a tag that needs the mark key; no other part of a password contains it."""

NOT_KNOWN = "-$$$"
"""Stored for students of a roster export, which has no passwords: each password is unchanged."""

RANDOM_PASSWORD_LENGTH = 12
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


class ImportedPasswords:
    """Hashes and recognizes passwords of files with keys that are looked up once, for one batch.

    Args:
        mark_key: The mark key of a district whose files contain passwords; None: without tags.
    """

    def __init__(self, mark_key: bytes | None) -> None:
        self._mark_key = mark_key

    @cached_property
    def _verifiers(self) -> key_ring.KeyRing:
        return key_ring.ring(_VERIFIERS)

    @cached_property
    def _marks(self) -> key_ring.KeyRing:
        return key_ring.ring(_MARKS)

    def hash(self, password: str) -> str:
        """Return what is stored for a password, with a new salt."""
        salt, tag = secrets.token_hex(16), ""
        if self._mark_key:
            tag = _seal(_change_tag(salt, password, self._marks.key), self._mark_key)
            if self._marks.current != FIRST_VERSION:
                tag = f"{self._marks.current}.{tag}"
        method = _with_version("hmac", self._verifiers.current)
        return f"{method}${salt}${tag}${_verifier(salt, password, self._verifiers.key)}"

    def is_unchanged(self, stored: str, password: str) -> bool:
        """Return whether a file's password is the stored one; fast, not for signing in.

        A password without a tag, or whose key is lost, is never unchanged, so that it is stored
        again.

        Args:
            stored: What is stored for the student.
            password: The password in the file.
        """
        if stored == NOT_KNOWN:
            return True
        method, salt, stored_tag, _ = stored.split("$", 3)
        version, tag = _version_of_tag(stored_tag)
        marks, lost = self._marks, self._verifiers.lost
        if version not in marks.keys:
            marks = key_ring.ring_with(_MARKS, version)
        if version not in marks.keys or (lost and _version_of_method(method) in lost):
            return False
        expected = _change_tag(salt, password, marks.keys[version])
        if tag.startswith(_SEALED):
            if self._mark_key is None:
                return False
            expected = _seal(expected, self._mark_key)
        return hmac.compare_digest(tag, expected)


def hash_for_import(password: str, mark_key: bytes | None = None) -> str:
    """Return what is stored for one password; see ``ImportedPasswords``."""
    return ImportedPasswords(mark_key).hash(password)


def random_password() -> str:
    """Return a random password, for a student without one."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(RANDOM_PASSWORD_LENGTH))


def verify(stored: str, password: str) -> bool:
    """Return whether a student may sign in with this password."""
    method, salt, _, stored_verifier = stored.split("$", 3)
    version = _version_of_method(method)
    ring = key_ring.ring_with(_VERIFIERS, version)
    if version not in ring.keys:
        return False
    normalized = unicodedata.normalize("NFC", password.lower())
    verifier = _verifier(salt, normalized, ring.keys[version])
    if method.startswith("hmac"):
        return hmac.compare_digest(stored_verifier, verifier)
    try:
        return _ARGON2.verify(stored_verifier, verifier)
    except argon2.exceptions.VerifyMismatchError:
        return False


def upgrade_hashes(limit: int) -> int:
    """Wrap up to ``limit`` new passwords in argon2id, about 30 ms each; return their number."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, password FROM students_student"
            f" WHERE password >= 'hmac' ORDER BY id LIMIT {limit:d}"
        )
        new = cursor.fetchall()
        upgraded = [(_upgrade(password), pk, password) for pk, password in new]
        with transaction.atomic():
            cursor.executemany(
                "UPDATE students_student SET password = %s WHERE id = %s AND password = %s",
                upgraded,
            )
    return len(new)


def seal_tags(district_id: int, mark_key: bytes | None, limit: int) -> int:
    """Protect up to ``limit`` tags of an older version with the mark key; return their number.

    Args:
        district_id: The district.
        mark_key: Its mark key; None: the tags are removed.
        limit: How many passwords to change.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, password FROM students_student"
            " WHERE district_id = %s AND password NOT LIKE %s AND password NOT LIKE %s"
            " AND NOT (password LIKE %s AND password LIKE %s) ORDER BY id LIMIT %s",
            [district_id, f"%{_SEALED}%", *_WITHOUT_TAG, limit],
        )
        old = cursor.fetchall()
        sealed = [(_with_sealed_tag(password, mark_key), pk, password) for pk, password in old]
        with transaction.atomic():
            cursor.executemany(
                "UPDATE students_student SET password = %s WHERE id = %s AND password = %s", sealed
            )
    return len(old)


def with_key(name: str, version: int) -> Q:
    """Return the condition that a stored password needs this version of one of the two keys."""
    if name == _MARKS:
        pattern = rf"^[^$]+\$[^$]+\${version}\."
        if version == FIRST_VERSION:
            pattern = r"^[^$]+\$[^$]+\$[^.$]+\$"
        return Q(password__regex=pattern)
    methods = (f"{_with_version(method, version)}$" for method in ("hmac", "argon2id"))
    return reduce(or_, (Q(password__startswith=method) for method in methods))


def _upgrade(stored: str) -> str:
    method, salt, tag, verifier = stored.split("$", 3)
    new_method = _with_version("argon2id", _version_of_method(method))
    return f"{new_method}${salt}${tag}${_ARGON2.hash(verifier)}"


def _with_sealed_tag(stored: str, mark_key: bytes | None) -> str:
    method, salt, stored_tag, verifier = stored.split("$", 3)
    new_tag = ""
    if mark_key:
        version, separator, tag = stored_tag.rpartition(".")
        new_tag = f"{version}{separator}{_seal(tag, mark_key)}"
    return f"{method}${salt}${new_tag}${verifier}"


def _seal(tag: str, mark_key: bytes) -> str:
    return _SEALED + hashlib.blake2b(tag.encode(), digest_size=8, key=mark_key).hexdigest()


def _with_version(method: str, version: int) -> str:
    return method if version == FIRST_VERSION else f"{method}.{version}"


def _version_of_method(method: str) -> int:
    _, separator, version = method.partition(".")
    return int(version) if separator else FIRST_VERSION


def _version_of_tag(stored: str) -> tuple[int, str]:
    """Return the version of the tag's key, and the tag."""
    version, separator, tag = stored.rpartition(".")
    return (int(version), tag) if separator else (FIRST_VERSION, tag)


def _verifier(salt: str, password: str, key: bytes) -> str:
    verifier = _keyed_verifier(key).copy()
    verifier.update(f"{salt}{password}".encode())
    return verifier.hexdigest()


@lru_cache(maxsize=2)  # copying it takes half as long as creating another one
def _keyed_verifier(key: bytes) -> hmac.HMAC:
    return hmac.new(key, digestmod=hashlib.sha256)


def _change_tag(salt: str, password: str, key: bytes) -> str:
    return hashlib.blake2b(f"{salt}{password}".encode(), digest_size=8, key=key).hexdigest()
