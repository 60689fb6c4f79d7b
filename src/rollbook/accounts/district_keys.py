"""A key for each district and purpose, wrapped by the installation's key ``district-keys``.

The wrapped keys are in the database, the key that opens them is in the data folder. So neither is
enough alone, a rotation encrypts only these few keys again, and whatever a district's key protects
is lost for good when its row is deleted. Why: docs/decisions/0038-encryption-at-rest.md.
"""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from rollbook.accounts import key_ring
from rollbook.accounts.models import DistrictKey
from rollbook.encrypted_file import FileDamaged, unwrap_key, wrap_key
from rollbook.secret_keys import new_key

_PURPOSE = "keys of districts"

_GET = "SELECT * FROM accounts_districtkey WHERE key = %s"
_FIND = "SELECT * FROM accounts_districtkey WHERE district_id = %s AND purpose = %s"


class KeyPurpose(StrEnum):
    """What a key of a district is for."""

    FILES = "uploaded files"
    PASSWORD_MARKS = "password marks"  # noqa: S105 - not a password


class DistrictKeyLost(Exception):
    """A key of a district can't be decrypted or was destroyed; the text says which and why."""


@dataclass(frozen=True)
class OpenKey:
    """A decrypted key of a district, and its ID."""

    key_id: UUID
    secret: bytes


def get_or_create(district_id: int, purpose: KeyPurpose) -> OpenKey:
    """Return the key of a district, which is created at its first use.

    Raises:
        DistrictKeyLost: It can't be decrypted.
    """
    found = find(district_id, purpose)
    if found:
        return found
    key_id, secret = uuid4(), new_key()
    ring = key_ring.ring(key_ring.DISTRICT_KEYS)
    row, is_new = DistrictKey.objects.get_or_create(
        district_id=district_id,
        purpose=purpose.value,
        defaults={
            "key": key_id,
            "wrapped_key": wrap_key(ring.derive(_PURPOSE), secret, key_id.bytes),
            "key_version": ring.current,
            "created_at": timezone.now(),
        },
    )
    return OpenKey(key_id, secret) if is_new else _open(row)


def find(district_id: int, purpose: KeyPurpose) -> OpenKey | None:
    """Return the key of a district, or None if it has none.

    Raises:
        DistrictKeyLost: It can't be decrypted.
    """
    found = DistrictKey.objects.raw(_FIND, [district_id, purpose.value])
    return next(map(_open, found), None)


def get(key_id: UUID) -> OpenKey:
    """Return the key with this ID.

    Raises:
        DistrictKeyLost: It was destroyed, or can't be decrypted.
    """
    for row in DistrictKey.objects.raw(_GET, [key_id.hex]):
        return _open(row)
    raise DistrictKeyLost(f"the key {key_id} of its district no longer exists")


def destroy(district_id: int, *purposes: KeyPurpose) -> int:
    """Destroy keys of a district, and with them everything that they protect; return how many."""
    rows = DistrictKey.objects.filter(district=district_id, purpose__in=purposes)
    return rows.delete()[0]


def wrapped_with(version: int) -> "QuerySet[DistrictKey]":
    """Return the keys that are wrapped with this version of the installation's key."""
    return DistrictKey.objects.filter(key_version=version)


def wrap_again(version: int, limit: int) -> int:
    """Wrap up to ``limit`` keys of a retired version with the active one; return their number."""
    with transaction.atomic():
        rows = list(wrapped_with(version).select_for_update().order_by("pk")[:limit])
        ring = key_ring.ring(key_ring.DISTRICT_KEYS)
        if ring.current == version:  # this machine doesn't have the active one yet
            return 0
        for row in rows:
            secret = _open(row).secret
            row.wrapped_key = wrap_key(ring.derive(_PURPOSE), secret, row.key.bytes)
            row.key_version = ring.current
            row.save(update_fields=["wrapped_key", "key_version"])
    return len(rows)


def remove_lost(version: int) -> None:
    """Remove the keys of a lost version: new ones are created when they are needed."""
    wrapped_with(version).delete()


def _open(row: DistrictKey) -> OpenKey:
    ring = key_ring.ring_with(key_ring.DISTRICT_KEYS, row.key_version)
    if row.key_version not in ring.keys:
        raise DistrictKeyLost(
            f"the {row} needs version {row.key_version} of {key_ring.DISTRICT_KEYS}, which this "
            "machine doesn't have; see `rollbook keys list`"
        )
    wrapping_key = ring.derive(_PURPOSE, row.key_version)
    try:
        secret = unwrap_key(wrapping_key, bytes(row.wrapped_key), row.key.bytes)
    except FileDamaged:
        raise DistrictKeyLost(f"the {row} is damaged; restore a backup") from None
    return OpenKey(row.pk, secret)
