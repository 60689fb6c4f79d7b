"""Read the client's address, program and credentials from a request."""

import base64
import binascii
import ipaddress
from dataclasses import dataclass, field

from django.conf import settings
from django.http import HttpRequest

from rollbook.web.http.error_codes import ApiError

UNKNOWN_ADDRESS = str(ipaddress.IPv4Address(0))

_BOM = "\ufeff"
_BOM_IN_HEADER = _BOM.encode().decode("latin-1")  # headers are decoded as Latin-1


def address_of(request: HttpRequest) -> str:
    """Return the client's IP address, or UNKNOWN_ADDRESS if it is malformed.

    Behind proxies, it is in X-Forwarded-For, whose other entries can be forged.
    """
    address = request.META.get("REMOTE_ADDR", "")
    if settings.BEHIND_PROXY:
        forwarded_for = request.headers.get("X-Forwarded-For", "")
        address = settings.TRUSTED_PROXIES.client_address(address, forwarded_for)
    try:
        return str(ipaddress.ip_address(address.partition("%")[0]))
    except ValueError:
        return UNKNOWN_ADDRESS


def agent_of(request: HttpRequest) -> str:
    """Return the User-Agent header."""
    return request.headers.get("User-Agent", "")


@dataclass(frozen=True)
class Bearer:
    """An API token as sent by the client."""

    secret: str = field(repr=False)


Credentials = tuple[str, str] | Bearer
"""A login and a password, or a token."""


def credentials_in_header(request: HttpRequest) -> Credentials | None:
    """Return the credentials in a Basic or Bearer Authorization header; None without one.

    Requests with an Origin header come from web pages. A browser adds stored credentials even to
    requests of a malicious page, so theirs are ignored.

    Raises:
        ApiError: If the header is malformed.
    """
    if "Origin" in request.headers:
        return None
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if not scheme:
        return None
    if scheme.lower() == "bearer":
        return Bearer(encoded.strip().removeprefix(_BOM_IN_HEADER).removeprefix(_BOM))
    try:
        login, colon, password = (
            base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        )
    except (binascii.Error, UnicodeDecodeError):
        raise ApiError("bad_authorization") from None
    if scheme.lower() != "basic" or not colon:
        raise ApiError("bad_authorization")
    return login.removeprefix(_BOM), password.removeprefix(_BOM).removesuffix("\r")
