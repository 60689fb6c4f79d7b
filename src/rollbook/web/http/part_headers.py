"""Normalize the headers of the parts of a multipart form, for Django's parser.

Django ignores a part without an error if its file name isn't UTF-8, or if its header ends in bare
line feeds. Content between the headers is passed through unchanged.
"""

import re

MAX_HEADER_BYTES = 16 * 1024
"""A longer header is passed on as it is; Django's parser refuses it."""

_END_OF_HEADER = re.compile(rb"\r?\n\r?\n")
_LINE_BREAK = re.compile(rb"\r?\n")
_FALLBACK = "cp1252"  # contains Latin-1; undefined bytes become U+FFFD


class PartHeaderNormalizer:
    """Normalizes a form that arrives in pieces.

    Args:
        boundary: The boundary from the Content-Type of the request.
    """

    def __init__(self, boundary: bytes) -> None:
        self._separator = b"--" + boundary
        self._pending = b""
        self._is_in_header = False

    def feed(self, data: bytes) -> bytes:
        """Return what can be passed on after more bytes of the form; b"": more are needed.

        Args:
            data: The next bytes; b"" at the end of the form.
        """
        rest = self._pending + data
        done: list[bytes] = []
        while True:
            passed, rest = self._header(rest) if self._is_in_header else self._body(rest)
            if not passed:
                break
            done.append(passed)
        if not data:
            done.append(rest)
            rest = b""
        self._pending = rest
        return b"".join(done)

    def _body(self, rest: bytes) -> tuple[bytes, bytes]:
        """Split off everything up to the next separator, or all but what could begin one."""
        position = rest.find(self._separator)
        if position >= 0:
            self._is_in_header = True
            end = position + len(self._separator)
            return rest[:end], rest[end:]
        end = max(0, len(rest) - len(self._separator) + 1)
        return rest[:end], rest[end:]

    def _header(self, rest: bytes) -> tuple[bytes, bytes]:
        """Split off the normalized header of a part; b"" if its end has not been received."""
        match = _END_OF_HEADER.search(rest, 0, MAX_HEADER_BYTES)
        if match:
            self._is_in_header = False
            lines = map(_as_utf8, _LINE_BREAK.split(rest[: match.start()]))
            return b"\r\n".join(lines) + b"\r\n\r\n", rest[match.end() :]
        if len(rest) < MAX_HEADER_BYTES:
            return b"", rest
        self._is_in_header = False
        return rest, b""


def _as_utf8(line: bytes) -> bytes:
    try:
        line.decode()
    except UnicodeDecodeError:
        return line.decode(_FALLBACK, "replace").encode()
    return line
