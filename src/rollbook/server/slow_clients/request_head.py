"""Finds out from a request's header how much of it to wait for; gunicorn's parser does the rest."""

import re
from dataclasses import dataclass

from rollbook.server.slow_clients.error_responses import (
    BAD_REQUEST,
    COOKIES_REFUSED,
    COOKIES_REFUSED_PAGE,
    HEADER_FROM_A_DAMAGED_FILE,
    HEADER_TOO_LARGE,
    ResponseSent,
)

MAX_HEAD_BYTES = 32 * 1024
PREREAD_BYTES = 64 * 1024  # status and cancel requests are smaller, so they are always read whole
MAX_LENGTH_DIGITS = 18
MAX_COOKIE_BYTES = 4 * 1024  # ours have 200

_FROM_A_DAMAGED_FILE = re.compile(rb"\r\n\xef\xbb\xbf|\r\r\n")

_COOKIES = re.compile(rb"\r\ncookie[ \t]*:([^\r\n]*)", re.IGNORECASE)
_WANTS_PAGE = re.compile(rb"\r\naccept:[^\r\n]*text/html", re.IGNORECASE)
_RELEVANT_HEADERS = re.compile(
    rb"\r\n(content-length|transfer-encoding|expect):[ \t]*([^\r\n]*)", re.IGNORECASE
)


@dataclass(frozen=True)
class Head:
    """What the header announces about the body.

    Attributes:
        size: Bytes of the header, including its empty line.
        length: Bytes of the body; None if they are not announced.
        expects_continue: Whether the client sends the body only after ``100 Continue``.
    """

    size: int
    length: int | None
    expects_continue: bool

    @property
    def is_upload(self) -> bool:
        """Whether the body must be received while the application reads it."""
        return self.expects_continue or self.length is None or self.length > PREREAD_BYTES

    @property
    def bytes_needed(self) -> int:
        """The bytes to receive before a thread takes the request."""
        if self.expects_continue or self.length is None:
            return self.size
        return self.size + min(self.length, PREREAD_BYTES)


def read_head(received: bytes | bytearray) -> Head | None:
    """Return the head of the request that ``received`` begins with, None while it is incomplete.

    Raises:
        ResponseSent: The bytes can't be the beginning of an acceptable request.
    """
    end = received.find(b"\r\n\r\n")
    head_bytes = len(received) if end < 0 else end
    if head_bytes > MAX_HEAD_BYTES:
        raise ResponseSent(HEADER_TOO_LARGE)
    if not received[:1].isalpha() and received[:1] not in (b"", b"\r"):
        raise ResponseSent(BAD_REQUEST)
    if end < 0:
        return None
    if _FROM_A_DAMAGED_FILE.search(received, 0, end + 2):
        raise ResponseSent(HEADER_FROM_A_DAMAGED_FILE)
    _refuse_expensive_cookies(received, end)
    pairs = _RELEVANT_HEADERS.findall(received, 0, end)
    headers = {name.lower(): value.strip() for name, value in pairs}
    return Head(
        size=end + 4,
        length=_length(headers),
        expects_continue=b"expect" in headers,
    )


def _refuse_expensive_cookies(received: bytes | bytearray, end: int) -> None:
    """Refuse cookies that some versions of Python take seconds to parse (CVE-2024-7592).

    That needs many backslashes, which no cookie of Rollbook contains.
    """
    cookies = _COOKIES.findall(received, 0, end)
    if sum(map(len, cookies)) > MAX_COOKIE_BYTES or any(b"\\" in value for value in cookies):
        wants_page = _WANTS_PAGE.search(received, 0, end)
        raise ResponseSent(COOKIES_REFUSED_PAGE if wants_page else COOKIES_REFUSED)


def _length(headers: dict[bytes, bytes]) -> int | None:
    if b"transfer-encoding" in headers:
        return None
    length = headers.get(b"content-length", b"0")
    if not length.isdigit() or len(length) > MAX_LENGTH_DIGITS:
        raise ResponseSent(BAD_REQUEST)
    return int(length)
