"""Students' passwords: write-only, fast to import, slow to crack.

A stored password is ``method$salt$mark$proof``. On import the proof is a keyed HMAC-SHA-256, so a student can sign in
at once and a first load is not slowed by hashing; a task of low priority wraps the proof in argon2id. The mark is a
digest under a second key and serves one thing: to see that a nightly file brings the password a student already has.
Both keys stand outside the database. Why there is a mark: docs/decisions/0001-student-passwords.md.
"""

import hashlib
import hmac
import secrets
import unicodedata
from functools import cache

import argon2
from django.conf import settings
from django.db import connection, transaction

from rollbook.secret_keys import secret

_ARGON2 = argon2.PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


def hash_for_import(password: str) -> str:
    """What is stored for this password, with a salt of its own."""
    salt = secrets.token_hex(16)
    return f"hmac${salt}${_change_tag(salt, password)}${_verifier(salt, password)}"


def random_password() -> str:
    """A password nobody knows, for a student who came without one."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(12))


def matches_import_mark(stored: str, password: str) -> bool:
    """Whether a file's password is the one already stored; fast, for imports. Not for signing in."""
    _, salt, mark, _ = stored.split("$", 3)
    return hmac.compare_digest(mark, _change_tag(salt, password))


def verify(stored: str, password: str) -> bool:
    """Whether a student may sign in with this password."""
    method, salt, _, proof = stored.split("$", 3)
    given = _verifier(salt, unicodedata.normalize("NFC", password.lower()))
    if method == "hmac":
        return hmac.compare_digest(proof, given)
    try:
        return _ARGON2.verify(proof, given)
    except argon2.exceptions.VerifyMismatchError:
        return False


def upgrade_some_hashes(limit: int) -> int:
    """Wrap up to ``limit`` fresh passwords in argon2id, about 30 ms each; returns how many were found."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id, password FROM students_student WHERE password >= 'hmac' ORDER BY id LIMIT {limit:d}"
        )
        fresh = cursor.fetchall()
        wrapped = [(_upgraded(password), pk, password) for pk, password in fresh]
        with transaction.atomic():
            cursor.executemany(
                "UPDATE students_student SET password = %s WHERE id = %s AND password = %s", wrapped
            )
    return len(fresh)


def _upgraded(stored: str) -> str:
    _, salt, mark, proof = stored.split("$", 3)
    return f"argon2id${salt}${mark}${_ARGON2.hash(proof)}"


def _verifier(salt: str, password: str) -> str:
    return hmac.digest(
        _key("student-passwords"), f"{salt}{password}".encode(), hashlib.sha256
    ).hex()


def _change_tag(salt: str, password: str) -> str:
    key = _key("student-password-marks")
    return hashlib.blake2b(f"{salt}{password}".encode(), digest_size=8, key=key).hexdigest()


@cache
def _key(name: str) -> bytes:
    return secret(settings.KEYS, name)
