"""Rotate keys: create a new version, use it once all machines have it, and remove the old one.

Each step is one transaction, and can be repeated after a crash:

1. Create the file of the new version, then store that it is staged. A file without a row in the
   database is used by the next attempt.
2. Activate it: it becomes the version to write with, and the previous one is only read.
3. Encrypt again what can be (the secrets of two-step verification, the keys of districts), in
   small steps.
4. When nothing has needed a version for ``KEPT``, store that it is removed, then delete its file.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from rollbook.accounts import district_keys, key_ring
from rollbook.accounts.audit import log as audit_log
from rollbook.accounts.auth import second_factor
from rollbook.accounts.key_ring import KeyVersion
from rollbook.accounts.models import KeyFingerprint, KeyState
from rollbook.operations.keys import catalog
from rollbook.secret_keys import KeyUnusable, file_name, fingerprint, load_or_create_key

KEPT = timedelta(days=30)
"""How long a version is kept after a newer one was activated, for backups of the database."""

SECRETS_PER_STEP = 100

log = logging.getLogger(__name__)


_AGAIN: Mapping[str, Callable[[int, int], int]] = {
    key_ring.LOGINS: second_factor.encrypt_again,
    key_ring.DISTRICT_KEYS: district_keys.wrap_again,
}
"""How to encrypt again what is encrypted with a key, by the name of the key."""


class NotStaged(Exception):
    """There is no new version of the key to activate."""


def stage(name: str, now: datetime) -> KeyFingerprint:
    """Create a new version of a key, or return the one that is staged already.

    Raises:
        KeyUnusable: The file of the new version can't be created.
    """
    with transaction.atomic():
        rows = lock(name)
        for row in rows:
            if row.state == KeyState.STAGED:
                return row
        return create_version(name, rows, KeyState.STAGED, now)


def activate(name: str, now: datetime) -> KeyFingerprint:
    """Write with the staged version from now on, and only read the previous one.

    Raises:
        NotStaged: There is none.
        KeyUnusable: This machine doesn't have the file of the staged version.
    """
    with transaction.atomic():
        staged = [row for row in lock(name) if row.state == KeyState.STAGED]
        if not staged:
            raise NotStaged
        [row] = staged
        version = KeyVersion(row.version, row.state, row.fingerprint)
        key_ring.read_version(settings.KEYS, name, version)
        active = KeyFingerprint.objects.filter(name=name, state=KeyState.ACTIVE.value)
        active.update(state=KeyState.RETIRED.value, changed_at=now)
        row.state, row.changed_at = KeyState.ACTIVE.value, now
        row.save(update_fields=["state", "changed_at"])
    key_ring.refresh()
    return row


def lock(name: str) -> list[KeyFingerprint]:
    """Lock all versions of a key until the caller's transaction ends."""
    rows = KeyFingerprint.objects.select_for_update().filter(name=name)
    return list(rows.order_by("version"))


def create_version(
    name: str, rows: list[KeyFingerprint], state: KeyState, now: datetime
) -> KeyFingerprint:
    """Create the next version of a key in the caller's transaction.

    Args:
        name: The name of the key.
        rows: All versions, locked.
        state: The state of the new version.
        now: The current time.

    Raises:
        KeyUnusable: The file can't be created.
    """
    version = max((row.version for row in rows), default=0) + 1
    key = load_or_create_key(settings.KEYS, name, version)
    return KeyFingerprint.objects.create(
        name=name,
        version=version,
        fingerprint=fingerprint(key),
        state=state.value,
        created_at=now,
        changed_at=now,
    )


def encrypt_again(limit: int = SECRETS_PER_STEP) -> int:
    """Encrypt up to ``limit`` secrets of retired versions with the active one.

    Returns:
        The number of secrets that were found.
    """
    retired = KeyFingerprint.objects.filter(name__in=_AGAIN, state=KeyState.RETIRED.value)
    found = 0
    for name, version in retired.values_list("name", "version"):
        found += _AGAIN[name](version, limit)
    return found


def finish_rotations() -> int:
    """Do a small part of what rotations have left to do, and return how much was found."""
    found = encrypt_again()
    if not found:
        remove_unneeded(timezone.now())
    return found


def remove_unneeded(now: datetime) -> list[str]:
    """Remove retired versions that nothing needs, and return their files.

    A machine on which this doesn't run keeps the file; its doctor says so.
    """
    retired = KeyFingerprint.objects.filter(
        state=KeyState.RETIRED.value, changed_at__lt=now - KEPT, name__in=key_ring.NAMES
    )
    for row in list(retired):
        if not any(catalog.needs(row)):
            _record_removal(row, now)
    removed = KeyFingerprint.objects.filter(state=KeyState.REMOVED.value)
    return [file for row in removed if (file := _delete_file(row))]


def _record_removal(row: KeyFingerprint, now: datetime) -> None:
    same = KeyFingerprint.objects.filter(pk=row.pk, state=KeyState.RETIRED.value)
    with transaction.atomic():
        if same.update(state=KeyState.REMOVED.value, changed_at=now):
            audit_log.record("keys remove", "done", agent="Rollbook", detail=str(row), now=now)


def _delete_file(row: KeyFingerprint) -> str:
    """Delete the file if it contains this version; return its name if it did."""
    name = file_name(row.name, row.version)
    try:
        key_ring.read_version(
            settings.KEYS, row.name, KeyVersion(row.version, row.state, row.fingerprint)
        )
        path: Path = settings.KEYS / name
        path.unlink()
    except (KeyUnusable, OSError):
        return ""
    log.info("removed the key %s, which is no longer needed", name)
    return name
