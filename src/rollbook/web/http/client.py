"""Who is calling, as far as a request tells: the address, the program, and what an Authorization header holds."""

import base64
import binascii
import ipaddress
import re
from dataclasses import dataclass, field

from django.conf import settings
from django.http import HttpRequest

from rollbook.web.http.error_codes import ApiError

UNKNOWN_ADDRESS = "0.0.0.0"

_WITH_PORT = re.compile(r"\A(\[.*\]|[\d.]+):\d+\Z")


def address_of(request: HttpRequest) -> str:
    """The client's IP address. Behind our proxy it is what the proxy added last; the entries before it are hearsay."""
    said = request.META.get("REMOTE_ADDR", "")
    if settings.BEHIND_PROXY:
        said = request.headers.get("X-Forwarded-For", said).rpartition(",")[2].strip()
    try:
        return str(ipaddress.ip_address(_bare(said).partition("%")[0]))
    except ValueError:
        return UNKNOWN_ADDRESS


def _bare(said: str) -> str:
    """The address without the port that some proxies write behind it."""
    return _WITH_PORT.sub(r"\1", said).strip("[]")


def agent_of(request: HttpRequest) -> str:
    """What the program calls itself."""
    return request.headers.get("User-Agent", "")


@dataclass(frozen=True)
class Bearer:
    """What a caller sent as a token."""

    secret: str = field(repr=False)


Credentials = tuple[str, str] | Bearer
"""A login and a password, or a token."""


def credentials_in_header(request: HttpRequest) -> Credentials | None:
    """What an Authorization header holds, Basic or Bearer; None without one.

    A browser adds those it remembers to whatever a page of somebody else's makes it send, and then names that page's
    Origin: they are nobody's word.
    """
    if "Origin" in request.headers:
        return None
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if not scheme:
        return None
    if scheme.lower() == "bearer":
        return Bearer(encoded.strip())
    try:
        login, colon, password = (
            base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        )
    except (binascii.Error, UnicodeDecodeError):
        raise ApiError("bad_authorization") from None
    if scheme.lower() != "basic" or not colon:
        raise ApiError("bad_authorization")
    return login, password
