"""Students' passwords: write-only, fast to import, slow to crack.

A stored password is ``method$salt$tag$verifier``. On import the verifier is an HMAC-SHA-256, so
students can sign in right away and slow hashes don't delay a first load; later, a task of low
priority wraps the verifier in argon2id. The tag is a keyed hash under a second key. Its only use
is to detect that a nightly file contains the password that a student already has. Both keys are
stored outside the database. Why there is a tag: docs/decisions/0001-student-passwords.md.
"""

import hashlib
import hmac
import secrets
import unicodedata
from functools import cache

import argon2
from django.conf import settings
from django.db import connection, transaction

from rollbook.secret_keys import load_or_create_key

_ARGON2 = argon2.PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
RANDOM_PASSWORD_LENGTH = 12
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


def hash_for_import(password: str) -> str:
    """Return what is stored for a password, with a new salt."""
    salt = secrets.token_hex(16)
    return f"hmac${salt}${_change_tag(salt, password)}${_verifier(salt, password)}"


def random_password() -> str:
    """Return a random password, for a student without one."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(RANDOM_PASSWORD_LENGTH))


def is_unchanged(stored: str, password: str) -> bool:
    """Return whether a file's password is the stored one; fast, for imports, not for signing in."""
    _, salt, tag, _ = stored.split("$", 3)
    return hmac.compare_digest(tag, _change_tag(salt, password))


def verify(stored: str, password: str) -> bool:
    """Return whether a student may sign in with this password."""
    method, salt, _, stored_verifier = stored.split("$", 3)
    verifier = _verifier(salt, unicodedata.normalize("NFC", password.lower()))
    if method == "hmac":
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


def _upgrade(stored: str) -> str:
    _, salt, tag, verifier = stored.split("$", 3)
    return f"argon2id${salt}${tag}${_ARGON2.hash(verifier)}"


def _verifier(salt: str, password: str) -> str:
    return hmac.digest(
        _key("student-passwords"), f"{salt}{password}".encode(), hashlib.sha256
    ).hex()


def _change_tag(salt: str, password: str) -> str:
    key = _key("student-password-marks")
    return hashlib.blake2b(f"{salt}{password}".encode(), digest_size=8, key=key).hexdigest()


@cache
def _key(name: str) -> bytes:
    return load_or_create_key(settings.KEYS, name)
