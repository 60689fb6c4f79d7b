"""The error codes of the HTTP interfaces, each with its HTTP status and its text."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

RETRY_SOON_S = 5  # seconds
RETRY_LATER_S = 60


@dataclass(frozen=True)
class ErrorCode:
    """An error code.

    Attributes:
        status: The HTTP status.
        text: What is wrong and how to fix it, as a format string.
        retry_after: Seconds after which the client may retry; None if retrying is useless.
    """

    status: int
    text: str
    retry_after: int | None = None


ERROR_CODES: Mapping[str, ErrorCode] = MappingProxyType(
    {
        "use_https": ErrorCode(
            403,
            "this address requires HTTPS; write https:// in the address. "
            "Your password may have been sent unencrypted: change it",
        ),
        "unknown_host": ErrorCode(
            400,
            "this server is not known as {host}; set ROLLBOOK_URL to the address that people use, "
            "and let a proxy pass on the Host header",
        ),
        "use_post": ErrorCode(405, "this address accepts only POST; use: {command}"),
        "use_get": ErrorCode(405, "this address accepts only GET"),
        "credentials_in_address": ErrorCode(
            400,
            "the address contained a login or password, and proxies and logs record addresses: "
            "change that password, then send both as form fields: {command}",
        ),
        "query_string": ErrorCode(
            400, "the address must not contain a '?'; send form fields instead: {command}"
        ),
        "not_a_form": ErrorCode(415, "{hint}; use: {command}"),
        "content_encoded": ErrorCode(
            415, "the request body is compressed; send it without Content-Encoding"
        ),
        "length_required": ErrorCode(
            411, "the request has no Content-Length; upload a regular file instead of a pipe"
        ),
        "too_large": ErrorCode(413, "the request is larger than {limit} bytes; {repair}"),
        "throttled": ErrorCode(
            429,
            "too many sign-ins from your address have failed; try again in {wait}",
            RETRY_LATER_S,
        ),
        "too_many_uploads": ErrorCode(
            429,
            "other uploads from your address are still being received; try again later",
            RETRY_LATER_S,
        ),
        "server_busy": ErrorCode(
            503,
            "the server is receiving too many uploads right now; try again later",
            RETRY_LATER_S,
        ),
        "uploads_unidentified": ErrorCode(
            503,
            "the server is receiving too many uploads from addresses where nobody has signed in; "
            "try again later, or send your token or login in the header: -H @token.txt or --netrc",
            RETRY_LATER_S,
        ),
        "disk_full": ErrorCode(
            503,
            "the server has no disk space for this file; nothing was saved; try again later",
            RETRY_LATER_S,
        ),
        "storage_failed": ErrorCode(
            503,
            "the server can't store files right now; nothing was saved; try again later",
            RETRY_LATER_S,
        ),
        "database_busy": ErrorCode(
            503,
            "the database is not available right now; nothing was saved; try again",
            RETRY_SOON_S,
        ),
        "key_missing": ErrorCode(
            503,
            "this server is missing a secret key; nothing was saved; try again later, and tell "
            "your Rollbook administrator to run rollbook doctor",
            RETRY_LATER_S,
        ),
        "upgrading": ErrorCode(
            503,
            "Rollbook is being upgraded: this server is waiting for rollbook migrate; nothing "
            "was saved; try again in a minute",
            RETRY_LATER_S,
        ),
        "incomplete_upload": ErrorCode(
            400, "the upload was cut off before its end; nothing was saved; send it again"
        ),
        "bad_form": ErrorCode(400, "the form can't be read: {reason}; use: {command}"),
        "too_many_files": ErrorCode(
            400, "more than one file was sent; send one file in each request"
        ),
        "file_not_expected": ErrorCode(400, "{name} doesn't accept a file; use: {command}"),
        "wrong_field": ErrorCode(
            400,
            "a file was sent as '{field}'; the fields are file, login, password; use: {command}",
        ),
        "field_too_long": ErrorCode(400, "a form field is longer than {limit} bytes; {repair}"),
        "duplicate_field": ErrorCode(400, "{field} was sent more than once; send it once"),
        "file_is_text": ErrorCode(
            400,
            "the field file contains text instead of a file; put @ before the file name: "
            "-F file=@students.csv",
        ),
        "missing_file": ErrorCode(400, "no file was sent; add -F file=@students.csv{sent}"),
        "missing_login": ErrorCode(400, "no login was sent; add -F login=you@school.example{sent}"),
        "missing_password": ErrorCode(
            400, "no password was sent; add -F 'password=<password.txt'{sent}"
        ),
        "field_is_utf16": ErrorCode(
            400,
            "the {field} was sent from a file that is saved as UTF-16; save the file as UTF-8, in "
            "PowerShell with Set-Content -Encoding utf8",
        ),
        "bad_authorization": ErrorCode(
            400, "the Authorization header is malformed; send login and password as form fields"
        ),
        "sign_in_needed": ErrorCode(
            401,
            "sign in with your login and password, or with a token: curl --netrc {address} or "
            "curl -H @token.txt {address}",
        ),
        "sign_in_failed": ErrorCode(
            401, "the login or password is wrong, or the account isn't active"
        ),
        "token_failed": ErrorCode(
            401,
            "the token is wrong, expired or revoked, or its owner isn't active; "
            "create another one at {tokens}",
        ),
        "token_needed": ErrorCode(
            403,
            "this account uses two-step verification, so a password alone isn't enough; "
            "create a token at {tokens} and send it to the upload commands: "
            "-H @token.txt instead of login and password",
        ),
        "second_factor_missing": ErrorCode(
            403,
            "your district requires two-step verification, and this account doesn't use it yet; "
            "sign in at {url} in a browser and turn it on; you'll also get a token for your "
            "scripts there",
        ),
        "not_allowed": ErrorCode(
            403, "your role doesn't allow this; ask a district manager to do it"
        ),
        "token_scope": ErrorCode(
            403,
            "this token isn't valid for {scope}, only for {has}; "
            "create one that includes {scope} at {tokens}",
        ),
        "token_network": ErrorCode(
            403,
            "this token isn't valid from {address}, only from {networks}; call from there, or "
            "create another one at {tokens}",
        ),
        "token_mode": ErrorCode(
            403,
            "this token isn't valid for mode={mode}, only for mode={has}; "
            "create one that includes it at {tokens}",
        ),
        "mode_not_allowed": ErrorCode(403, "{reason}"),
        "district_suspended": ErrorCode(403, "{reason}"),
        "not_supported": ErrorCode(400, "{what} is not supported yet; leave it out"),
        "misspelled_field": ErrorCode(400, "there is no field '{field}'; did you mean {known}?"),
        "field_elsewhere": ErrorCode(
            400, "{name} doesn't accept the field '{field}'; leave it out"
        ),
        "wrong_value": ErrorCode(400, "{field} can't be '{value}'; {repair}"),
        "queue_full": ErrorCode(
            429,
            "the queue is full ({waiting}); try again when one of them has finished",
            RETRY_LATER_S,
        ),
        "quota_exceeded": ErrorCode(413, "{reason}"),
        "which_plan": ErrorCode(
            400, "a decision needs the update and its plan, which status names; use: {command}"
        ),
        "no_update": ErrorCode(404, "{reason}"),
        "no_plan_waiting": ErrorCode(409, "{reason}"),
        "another_plan": ErrorCode(409, "{reason}"),
        "own_update": ErrorCode(403, "{reason}"),
        "no_school": ErrorCode(400, "{reason}"),
        "not_found": ErrorCode(404, "there is nothing at this address"),
        "bad_request": ErrorCode(400, "the request is malformed"),
        "internal_error": ErrorCode(
            500,
            "something went wrong on our side; give your Rollbook administrator the reference {id}",
        ),
    }
)


class ApiError(Exception):
    """A request that ends with an error.

    Args:
        code: A key of ERROR_CODES.
        retry_after: Seconds until the client may retry, if different from the code's.
        values: The values for the placeholders in the code's text.
    """

    def __init__(self, code: str, *, retry_after: int | None = None, **values: object) -> None:
        super().__init__(code)
        error = ERROR_CODES[code]
        self.code = code
        self.status = error.status
        self.text = error.text.format(**values)
        self.retry_after = retry_after or error.retry_after
