"""Verification that the secret keys in the data folder are the ones the database was used with.

With other keys, all student passwords would be wrong, and all rows of the next file would be
treated as new. If Rollbook runs on several machines, each needs a copy of the same keys.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from rollbook.accounts import key_ring
from rollbook.accounts.key_ring import NAMES, Versions
from rollbook.accounts.models import KeyFingerprint, KeyState
from rollbook.secret_keys import (
    FIRST_VERSION,
    KeyUnusable,
    file_name,
    fingerprint,
    load_or_create_key,
    read_key,
)
from rollbook.text import join_words

__all__ = ["NAMES", "KeyProblem", "KeysDoNotMatch", "find_problems", "fingerprint", "verify_keys"]

NEEDED = (KeyState.ACTIVE, KeyState.RETIRED)


class KeysDoNotMatch(Exception):
    """The keys in the data folder don't match the database; the text says how to fix it."""


@dataclass(frozen=True)
class KeyProblem:
    """A version of a key that this machine can't use.

    Attributes:
        name: The name of the key.
        version: The version.
        reason: What is wrong with its file, as the end of a sentence.
        is_staged: Whether nothing needs the version yet.
    """

    name: str
    version: int
    reason: str
    is_staged: bool = False

    @property
    def what(self) -> str:
        """What is wrong, with the name of the file."""
        return f"the key {file_name(self.name, self.version)} {self.reason}"


def verify_keys() -> None:
    """Compare all keys with their stored fingerprints, and store those of new keys.

    Raises:
        KeysDoNotMatch: A key is missing or damaged, or differs.
    """
    known = require_matching_keys()
    problems = list(_store_new_keys(known))
    if problems:
        raise _unusable(problems)


def require_matching_keys() -> Versions:
    """Compare all keys that the database knows, create none, and return them.

    Raises:
        KeysDoNotMatch: A key is missing or damaged, or differs.
    """
    known = key_ring.refresh()
    problems = [problem for problem in find_problems(settings.KEYS, known) if not problem.is_staged]
    if problems:
        raise _unusable(problems)
    return known


def _unusable(problems: Sequence[KeyProblem]) -> KeysDoNotMatch:
    what = join_words([problem.what for problem in problems])
    return KeysDoNotMatch(f"in {settings.KEYS} {what}; {how_to_fix(problems)}")


def find_problems(folder: Path, known: Versions) -> Iterator[KeyProblem]:
    """Yield each version of a key that this machine needs and can't use."""
    for name, versions in known.items():
        for version in versions:
            is_staged = version.state == KeyState.STAGED
            if version.state in NEEDED or is_staged:
                try:
                    key_ring.read_version(folder, name, version)
                except KeyUnusable as error:
                    yield KeyProblem(name, version.version, error.reason, is_staged)


def find_problems_of_new_keys(folder: Path, known: Versions) -> Iterator[KeyProblem]:
    """Yield each key that the database doesn't contain yet and whose file can't be used."""
    for name in NAMES:
        if name not in known and (folder / name).exists():
            try:
                read_key(folder, name)
            except KeyUnusable as error:
                yield KeyProblem(name, FIRST_VERSION, error.reason)


def how_to_fix(problems: Iterable[KeyProblem]) -> str:
    """Return what to do about keys that can't be used."""
    names = " ".join(dict.fromkeys(problem.name for problem in problems))
    return (
        "copy the file from a backup or from the machine that has it, or, if there is no copy, "
        f"run `rollbook keys accept-loss {names}`, which first says what is lost"
    )


def _store_new_keys(known: Versions) -> Iterator[KeyProblem]:
    """Create the keys that aren't known yet, store their fingerprints; yield what prevents it."""
    now = timezone.now()
    for name in NAMES:
        if name in known:
            continue
        try:
            key = load_or_create_key(settings.KEYS, name)
        except KeyUnusable as error:
            yield KeyProblem(name, FIRST_VERSION, error.reason)
            continue
        with transaction.atomic():
            defaults = {"fingerprint": fingerprint(key), "created_at": now, "changed_at": now}
            KeyFingerprint.objects.get_or_create(
                name=name, version=FIRST_VERSION, defaults=defaults
            )
    key_ring.refresh()
