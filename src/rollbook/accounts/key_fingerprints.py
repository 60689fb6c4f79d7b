"""Verification that the secret keys in the data folder are the ones the database was used with.

With other keys, all student passwords would be wrong, and all rows of the next file would be
treated as new. If Rollbook runs on several machines, each needs a copy of the same keys.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings

from rollbook.accounts.models import KeyFingerprint
from rollbook.secret_keys import load_or_create_key

NAMES = ("session", "logins", "student-passwords", "student-password-marks", "row-digests")


class KeysDoNotMatch(Exception):
    """The keys in the data folder don't match the database; the text says how to fix it."""


def verify_keys() -> None:
    """Compare all keys with their stored fingerprints, and store those of new keys.

    Raises:
        KeysDoNotMatch: A key is missing or differs.
    """
    folder: Path = settings.KEYS
    known = dict(KeyFingerprint.objects.values_list("name", "fingerprint"))
    known_names = [name for name in NAMES if name in known]
    missing = [name for name in known_names if not (folder / name).exists()]
    if missing:
        raise _mismatch(f"keys are missing from {folder}", missing)
    different = [
        name for name in known_names if fingerprint(load_or_create_key(folder, name)) != known[name]
    ]
    if different:
        raise _mismatch(f"keys in {folder} are not the ones the database was used with", different)
    for name in NAMES:
        if name not in known:
            KeyFingerprint.objects.get_or_create(
                name=name, defaults={"fingerprint": fingerprint(load_or_create_key(folder, name))}
            )


def forget(names: Iterable[str]) -> None:
    """Accept that these keys are lost; new ones are created at their first use."""
    KeyFingerprint.objects.filter(name__in=list(names)).delete()


def fingerprint(key: bytes) -> str:
    """Return a fingerprint of the key, from which the key can't be derived."""
    return hashlib.blake2b(b"mark", key=key, digest_size=16).hexdigest()


def _mismatch(problem: str, names: list[str]) -> KeysDoNotMatch:
    return KeysDoNotMatch(
        f"{problem}: {', '.join(names)}; copy the folder from the machine that has the right keys,"
        " or from the backup"
    )
