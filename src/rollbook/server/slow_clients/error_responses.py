"""Plain-text responses of the server itself to requests that never reach the application."""

import secrets
from dataclasses import dataclass
from http import HTTPStatus

from rollbook.web.http.error_codes import ERROR_CODES


@dataclass(frozen=True)
class ErrorResponse:
    """A status and one line ``ERROR code: advice``; the connection is closed afterward.

    Attributes:
        status: The HTTP status.
        code: The word that scripts compare.
        advice: What is wrong and how to fix it.
        retry_after: Seconds for the ``Retry-After`` header; None omits it.
    """

    status: HTTPStatus
    code: str
    advice: str
    retry_after: int | None = None

    def encoded(self) -> bytes:
        """Return the whole HTTP response."""
        body = f"ERROR {self.code}: {self.advice}\n".encode()
        head = [
            f"HTTP/1.1 {self.status.value} {self.status.phrase}",
            "Content-Type: text/plain; charset=utf-8",
            f"Content-Length: {len(body)}",
            f"X-Request-Id: {secrets.token_hex(8)}",
            "X-Content-Type-Options: nosniff",
            "Cache-Control: no-store",
            "Connection: close",
        ]
        if self.retry_after:
            head.append(f"Retry-After: {self.retry_after}")
        return "\r\n".join((*head, "", "")).encode("ascii") + body


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
