"""Values in the database that quote students, encrypted with the key of their district for files.

A sealed value names the key, so it can be opened without knowing its district, and is lost with the
key. Why: docs/decisions/0038-encryption-at-rest.md.
"""

import os
import time
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from rollbook.accounts import district_keys
from rollbook.accounts.district_keys import DistrictKeyLost, KeyPurpose, OpenKey
from rollbook.secret_keys import derive_key

CACHE_S = 10.0
"""For how long an opened key is reused: a page can show hundreds of values."""

_PURPOSE = "values in the database"
_ID_BYTES, _NONCE_BYTES = 16, 12

_ciphers: dict[bytes, tuple[AESGCM, float]] = {}


class Sealer:
    """Seals values of one district."""

    def __init__(self, key: OpenKey) -> None:
        self._key_id = key.key_id.bytes
        self._cipher = _cipher(key)

    @classmethod
    def of_district(cls, district_id: int) -> "Sealer":
        """Return the sealer of a district.

        Raises:
            DistrictKeyLost: Its key can't be decrypted.
        """
        return cls(district_keys.get_or_create(district_id, KeyPurpose.FILES))

    def seal(self, text: str) -> bytes:
        """Return the encrypted text."""
        nonce = os.urandom(_NONCE_BYTES)
        data = text.encode("utf-8", "surrogatepass")
        return self._key_id + nonce + self._cipher.encrypt(nonce, data, self._key_id)


def unseal(sealed: bytes) -> str:
    """Return the text of a sealed value.

    Raises:
        DistrictKeyLost: The key was destroyed or can't be decrypted, or the value is damaged.
    """
    key_id, rest = sealed[:_ID_BYTES], sealed[_ID_BYTES:]
    try:
        data = _find_cipher(key_id).decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], key_id)
    except InvalidTag:
        raise DistrictKeyLost(f"a value of the key {UUID(bytes=key_id)} is damaged") from None
    return data.decode("utf-8", "surrogatepass")


def _find_cipher(key_id: bytes) -> AESGCM:
    cipher, until = _ciphers.get(key_id, (None, 0.0))
    if cipher is None or time.monotonic() >= until:
        _ciphers.clear()
        cipher = _cipher(district_keys.get(UUID(bytes=key_id)))
        _ciphers[key_id] = cipher, time.monotonic() + CACHE_S
    return cipher


def _cipher(key: OpenKey) -> AESGCM:
    return AESGCM(derive_key(key.secret, _PURPOSE))
