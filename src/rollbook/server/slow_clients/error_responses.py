"""Plain-text responses of the server itself to requests that never reach the application."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus

from rollbook.security_headers import HSTS, SECURITY_HEADERS
from rollbook.web.http.error_codes import ERROR_CODES

PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title></head>
<body><h1>{title}</h1><p>{text}</p></body>
</html>
"""


@dataclass(frozen=True)
class ErrorResponse:
    """A status and one line ``ERROR code: advice``; the connection is closed afterward.

    Attributes:
        status: The HTTP status.
        code: The word that scripts compare.
        advice: What is wrong and how to fix it.
        retry_after: Seconds for the ``Retry-After`` header; None omits it.
        page: The title of a page for browsers, which has the advice; empty for the line.
    """

    status: HTTPStatus
    code: str
    advice: str
    retry_after: int | None = None
    page: str = ""

    def encoded(self) -> bytes:
        """Return the whole HTTP response."""
        kind, body = "plain", f"ERROR {self.code}: {self.advice}\n".encode()
        if self.page:
            kind, body = "html", PAGE.format(title=self.page, text=self.advice).encode()
        head = [
            f"HTTP/1.1 {self.status.value} {self.status.phrase}",
            f"Content-Type: text/{kind}; charset=utf-8",
            f"Content-Length: {len(body)}",
            f"X-Request-Id: {secrets.token_hex(8)}",
            *(f"{name}: {value}" for name, value in self._security_headers()),
            "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'",
            "Cache-Control: no-store",
            "Connection: close",
        ]
        if self.retry_after:
            head.append(f"Retry-After: {self.retry_after}")
        return "\r\n".join((*head, "", "")).encode("ascii") + body

    def _security_headers(self) -> Iterator[tuple[str, str]]:
        yield from SECURITY_HEADERS.items()
        if self is not USE_HTTPS:
            yield HSTS


class ResponseSent(Exception):
    """The server answers the request itself; the application never gets it."""

    def __init__(self, response: ErrorResponse) -> None:
        super().__init__(response.code)
        self.response = response


# Also answered by the application, with the same texts.
_USE_HTTPS = ERROR_CODES["use_https"]
_TOO_MANY = ERROR_CODES["too_many_uploads"]

USE_HTTPS = ErrorResponse(HTTPStatus(_USE_HTTPS.status), "use_https", _USE_HTTPS.text)
BAD_REQUEST = ErrorResponse(
    HTTPStatus.BAD_REQUEST,
    "bad_request",
    "the request is not valid HTTP/1.1; check the client and any proxy in between",
)
HEADER_FROM_A_DAMAGED_FILE = ErrorResponse(
    HTTPStatus.BAD_REQUEST,
    "bad_request",
    "a header of the request starts with a byte order mark or ends with a carriage return, "
    "probably because it was read from a text file, as with -H @token.txt: save that file as UTF-8 "
    "without a byte order mark, and with Unix line ends",
)
ADDRESS_TOO_LONG = ErrorResponse(
    HTTPStatus.REQUEST_URI_TOO_LONG,
    "address_too_long",
    "the address is too long; send the values as a form",
)
HEADER_TOO_LARGE = ErrorResponse(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    "header_too_large",
    "the request's header is too large; send fewer cookies",
)
COOKIES_REFUSED = ErrorResponse(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    "cookies_refused",
    "the request's cookies are longer than 4 KiB or contain a backslash; send none, Rollbook's "
    "commands use no cookies",
)
COOKIES_REFUSED_PAGE = ErrorResponse(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    "cookies_refused",
    "Your browser sent cookies that are longer than 4 KiB or contain a backslash, and Rollbook "
    "can't accept them. Delete the cookies of this site in your browser's settings, then sign in "
    "again.",
    page="Cookies not accepted",
)
UNKNOWN_EXPECTATION = ErrorResponse(
    HTTPStatus.EXPECTATION_FAILED,
    "unknown_expectation",
    "the only supported Expect header is 100-continue",
)
UNKNOWN_CODING = ErrorResponse(
    HTTPStatus.NOT_IMPLEMENTED,
    "unknown_coding",
    "this Transfer-Encoding is not supported; send the file without it",
)
TOO_MANY_UPLOADS = ErrorResponse(
    HTTPStatus(_TOO_MANY.status), "too_many_uploads", _TOO_MANY.text, _TOO_MANY.retry_after
)
INTERNAL_ERROR = ErrorResponse(
    HTTPStatus.INTERNAL_SERVER_ERROR,
    "internal",
    "something went wrong on our side; the server's log has the details. Try again later.",
)
