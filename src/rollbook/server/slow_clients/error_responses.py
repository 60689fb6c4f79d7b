"""What the server itself answers, in one line of plain text, when a request does not get as far as the application."""

import secrets
from dataclasses import dataclass
from http import HTTPStatus

from rollbook.web.http.error_codes import ERROR_CODES


@dataclass(frozen=True)
class ErrorResponse:
    """A status and ``ERROR code: advice``; the connection is closed after it."""

    status: HTTPStatus
    code: str
    advice: str
    retry_after: int | None = None  # seconds

    def encoded(self) -> bytes:
        """The whole HTTP response."""
        body = f"ERROR {self.code}: {self.advice}\n".encode()
        head = (
            f"HTTP/1.1 {self.status.value} {self.status.phrase}",
            "Content-Type: text/plain; charset=utf-8",
            f"Content-Length: {len(body)}",
            f"X-Request-Id: {secrets.token_hex(8)}",
            "X-Content-Type-Options: nosniff",
            "Cache-Control: no-store",
            "Connection: close",
            *([f"Retry-After: {self.retry_after}"] if self.retry_after else []),
        )
        return "\r\n".join((*head, "", "")).encode("ascii") + body


class ResponseSent(Exception):
    """The request has its answer already: nobody else need look at it."""

    def __init__(self, answer: ErrorResponse) -> None:
        super().__init__(answer.code)
        self.answer = answer


USE_HTTPS = ErrorResponse(
    HTTPStatus.FORBIDDEN,
    "use_https",
    "this address speaks HTTPS only; write https:// in the address. "
    "Your password may have crossed the network readable: change it.",
)
BAD_REQUEST = ErrorResponse(
    HTTPStatus.BAD_REQUEST,
    "bad_request",
    "this cannot be read as HTTP/1.1; look at what stands between you and here",
)
ADDRESS_TOO_LONG = ErrorResponse(
    HTTPStatus.REQUEST_URI_TOO_LONG,
    "address_too_long",
    "the address is too long; send what you have to say as a form",
)
HEADER_TOO_LARGE = ErrorResponse(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    "header_too_large",
    "the request's header is too large; send fewer cookies",
)
UNKNOWN_EXPECTATION = ErrorResponse(
    HTTPStatus.EXPECTATION_FAILED,
    "unknown_expectation",
    "the only Expect header known here is 100-continue",
)
UNKNOWN_CODING = ErrorResponse(
    HTTPStatus.NOT_IMPLEMENTED,
    "unknown_coding",
    "this Transfer-Encoding is not known here; send the file as it is",
)
# The door says the same to whoever has too many bytes on their way.
_TOO_MANY = ERROR_CODES["too_many_uploads"]
TOO_MANY_UPLOADS = ErrorResponse(
    HTTPStatus(_TOO_MANY.status), "too_many_uploads", _TOO_MANY.text, _TOO_MANY.retry_after
)
INTERNAL_ERROR = ErrorResponse(
    HTTPStatus.INTERNAL_SERVER_ERROR,
    "internal",
    "something went wrong here and is in the server's log; try again later",
)
