"""Keep filters such as names of students and groups out of addresses that proxies log.

A form with such filters is submitted by POST. Its list has an address of its own, in which they are
encrypted, so paging, reloading and the back button work. Only the same member can open it. An
address with one of them in plain text isn't answered with what it asks for.
"""

import base64
import binascii
import json
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.utils.crypto import salted_hmac

from rollbook.accounts.models import Member
from rollbook.web.pages.base.view import PageRequest

PRIVATE = ("search", "group", "grade")
"""The filters that are encrypted. All others are numbers and words that Rollbook chose."""

SEALED = "find"
"""Their name in an address."""

MAX_VALUE_LENGTH = 200  # longer than what any filter accepts, so that the form says so
MAX_LENGTH = 4000  # of the sealed filters
_NONCE_BYTES = 12
_PURPOSE = "rollbook.filters"
_TOKEN = "csrfmiddlewaretoken"  # noqa: S105 - a name
_IGNORED = (
    "We ignored the filters in that address, because addresses are logged by other servers. "
    "Use the form below."
)


def address_query(member: Member, form: QueryDict) -> QueryDict:
    """Return the query of the address of a list, from its submitted form."""
    query = QueryDict(mutable=True)
    private = {name: str(form[name])[:MAX_VALUE_LENGTH] for name in PRIVATE if form.get(name)}
    if private:
        query[SEALED] = _seal(member, private)
    for name, value in form.items():
        if name not in (*PRIVATE, _TOKEN) and value:
            query[name] = str(value)
    return query


def opened_query(member: Member, query: QueryDict) -> QueryDict:
    """Return the query of an address with the sealed filters in plain text.

    They can't be read by another member, or long after the address was made.
    """
    opened = query.copy()
    sealed = query.get(SEALED)
    if sealed:
        opened.update(_open(member, sealed))
    return opened


def plain_filters_ignored(page_request: PageRequest) -> HttpResponse | None:
    """Return a redirect to the same list without them if the address has plain private filters."""
    query = page_request.request.GET.copy()
    for name in PRIVATE:
        query.pop(name, None)
    if len(query) == len(page_request.request.GET):
        return None
    page_request.warning(_IGNORED)
    return HttpResponseRedirect(f"{page_request.request.path}?{query.urlencode()}")


def _seal(member: Member, filters: dict[str, str]) -> str:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    text = json.dumps(filters, ensure_ascii=False).encode("utf-8", "replace")
    cipher = AESGCM(_key(str(settings.SECRET_KEY)))
    sealed = nonce + cipher.encrypt(nonce, text, _owner(member))
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def _open(member: Member, sealed: str) -> dict[str, str]:
    """Return the filters, which are none if they can't be read."""
    if len(sealed) > MAX_LENGTH:
        return {}
    try:
        data = base64.urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))
    except (binascii.Error, ValueError):
        return {}
    if len(data) <= _NONCE_BYTES:
        return {}
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        cipher = AESGCM(_key(str(secret)))
        try:
            text = cipher.decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], _owner(member))
        except InvalidTag:
            continue
        filters: dict[str, str] = json.loads(text)
        return filters
    return {}


def _owner(member: Member) -> bytes:
    return str(member.pk).encode()


def _key(secret: str) -> bytes:
    return salted_hmac(_PURPOSE, "", secret, algorithm="sha256").digest()
