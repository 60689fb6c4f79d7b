"""How much of a request to wait for, read from its first bytes; what it means is for gunicorn's parser to say."""

import re
from dataclasses import dataclass

from rollbook.server.slow_clients.error_responses import BAD_REQUEST, HEADER_TOO_LARGE, ResponseSent

LONGEST_HEAD = 32 * 1024
FORETASTE = 64 * 1024  # status and cancel are never larger, so they are always here whole

_RELEVANT_HEADERS = re.compile(
    rb"\r\n(content-length|transfer-encoding|expect):[ \t]*([^\r\n]*)", re.IGNORECASE
)


@dataclass(frozen=True)
class Head:
    """What the header says about the bytes after it."""

    size: int  # of the header, with its empty line
    length: int | None  # of the body; None: not told
    expects_continue: bool  # the client holds the body back until it is asked for it

    @property
    def is_upload(self) -> bool:
        """Whether the body must be waited for while the application reads it."""
        return self.expects_continue or self.length is None or self.length > FORETASTE

    @property
    def wanted(self) -> int:
        """The bytes to have before a thread takes the request."""
        if self.expects_continue or self.length is None:
            return self.size
        return self.size + min(self.length, FORETASTE)


def read_head(received: bytes | bytearray) -> Head | None:
    """The head of the request that ``received`` begins with, None while it is not complete.

    Raises Answered for what can never become a request.
    """
    end = received.find(b"\r\n\r\n")
    if max(end, len(received) if end < 0 else 0) > LONGEST_HEAD:
        raise ResponseSent(HEADER_TOO_LARGE)
    if not received[:1].isalpha() and received[:1] not in (b"", b"\r"):
        raise ResponseSent(BAD_REQUEST)
    if end < 0:
        return None
    told = {
        name.lower(): value.strip() for name, value in _RELEVANT_HEADERS.findall(received, 0, end)
    }
    return Head(
        size=end + 4,
        length=_length(told),
        expects_continue=b"expect" in told,
    )


def _length(told: dict[bytes, bytes]) -> int | None:
    if b"transfer-encoding" in told:
        return None
    length = told.get(b"content-length", b"0")
    if not length.isdigit() or len(length) > 18:
        raise ResponseSent(BAD_REQUEST)
    return int(length)
