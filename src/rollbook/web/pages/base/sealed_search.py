"""Keep what people search for, such as names of students, out of addresses that proxies log.

A search form is submitted by POST. Its list has an address of its own, in which the search is
encrypted, so paging, reloading and the back button work. Only the same member can open it.
"""

import base64
import binascii
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.http import QueryDict
from django.utils.crypto import salted_hmac

from rollbook.accounts.models import Member

SEARCH, SEALED = "search", "find"
"""The names of the search in a form, and in an address."""

MAX_LENGTH = 1000  # of the sealed search
_NONCE_BYTES = 12
_PURPOSE = "rollbook.search"
_TOKEN = "csrfmiddlewaretoken"  # noqa: S105 - a name


def address_query(member: Member, form: QueryDict) -> QueryDict:
    """Return the query of the address of a list, from its submitted search form."""
    query = QueryDict(mutable=True)
    for name, value in form.items():
        if name == SEARCH and value:
            query[SEALED] = _seal(member, str(value))
        elif name != _TOKEN and value:
            query[name] = str(value)
    return query


def opened_query(member: Member, query: QueryDict) -> QueryDict:
    """Return the query of an address with the search in plain text; without it if it can't be read.

    It can't be read by another member, or long after it was made.
    """
    opened = query.copy()
    sealed = query.get(SEALED)
    if sealed:
        opened[SEARCH] = _open(member, sealed)
    return opened


def _seal(member: Member, text: str) -> str:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    cipher = AESGCM(_key(str(settings.SECRET_KEY)))
    sealed = nonce + cipher.encrypt(nonce, text.encode("utf-8", "replace"), _owner(member))
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def _open(member: Member, sealed: str) -> str:
    if len(sealed) > MAX_LENGTH:
        return ""
    try:
        data = base64.urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))
    except (binascii.Error, ValueError):
        return ""
    if len(data) <= _NONCE_BYTES:
        return ""
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        cipher = AESGCM(_key(str(secret)))
        try:
            text = cipher.decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], _owner(member))
        except InvalidTag:
            continue
        return text.decode()
    return ""


def _owner(member: Member) -> bytes:
    return str(member.pk).encode()


def _key(secret: str) -> bytes:
    return salted_hmac(_PURPOSE, "", secret, algorithm="sha256").digest()
