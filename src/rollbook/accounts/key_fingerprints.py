"""Whether the keys beside the database are those it has been used with.

With others, every password of a student would be wrong, and every row of the next file new. On many machines each has a
folder of keys, and all must be copies of one.
"""

import hashlib
from pathlib import Path

from django.conf import settings

from rollbook.accounts.models import KeyFingerprint
from rollbook.secret_keys import secret

NAMES = ("session", "logins", "student-passwords", "student-password-marks", "row-digests")


class KeysDoNotMatch(Exception):
    """The keys in the data folder are not those of the database; the text says what to do."""


def verify_keys() -> None:
    """Note the marks of keys that are new to the database. Raises OtherKeys."""
    known = dict(KeyFingerprint.objects.values_list("name", "fingerprint"))
    folder: Path = settings.KEYS
    missing = [name for name in NAMES if name in known and not (folder / name).exists()]
    if missing:
        raise _other(folder, f"{' and '.join(missing)} are missing")
    other = [
        name for name in NAMES if name in known and known[name] != fingerprint(secret(folder, name))
    ]
    if other:
        raise _other(
            folder, f"{' and '.join(other)} are not those that the database has been used with"
        )
    for name in NAMES:
        if name not in known:
            KeyFingerprint.objects.get_or_create(
                name=name, defaults={"fingerprint": fingerprint(secret(folder, name))}
            )


def fingerprint(key: bytes) -> str:
    """What may be known of a key: from this it cannot be found out."""
    return hashlib.blake2b(b"mark", key=key, digest_size=16).hexdigest()


def _other(folder: Path, what: str) -> KeysDoNotMatch:
    return KeysDoNotMatch(
        f"of the keys in {folder} {what}; copy the folder from the machine that has the right ones, or from the backup"
    )
