"""Why a request is turned away: the closed list of codes, each with its HTTP status and its words."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

SOON = 5  # seconds
LATER = 60


@dataclass(frozen=True)
class ErrorCode:
    """One entry of the list. ``text`` says what happened and what to do; ``retry_after`` is in seconds."""

    status: int
    text: str
    retry_after: int | None = None


ERROR_CODES: Mapping[str, ErrorCode] = MappingProxyType(
    {
        "use_https": ErrorCode(
            403,
            "this address speaks HTTPS only; write https:// in the address. "
            "Your password may have crossed the network readable: change it",
        ),
        "use_post": ErrorCode(405, "this address answers POST only; use: {command}"),
        "use_get": ErrorCode(405, "this address answers GET only"),
        "credentials_in_address": ErrorCode(
            400,
            "a login or password stood in the address, where proxies and logs keep it: change that password, "
            "then send both as form fields: {command}",
        ),
        "query_string": ErrorCode(
            400, "nothing may follow a '?' in the address; send form fields: {command}"
        ),
        "not_a_form": ErrorCode(415, "{hint}; use: {command}"),
        "content_encoded": ErrorCode(
            415, "the body is compressed; send it as it is, without Content-Encoding"
        ),
        "length_required": ErrorCode(
            411, "curl could not tell the size of what it sends; upload from a regular file"
        ),
        "too_large": ErrorCode(413, "more than {limit} bytes were sent; {repair}"),
        "throttled": ErrorCode(
            429, "too many sign-ins from here have failed; try again in {wait}", LATER
        ),
        "too_many_uploads": ErrorCode(
            429, "other uploads from your address are still coming in; try again later", LATER
        ),
        "server_busy": ErrorCode(
            503, "too many uploads are coming in at once; try again later", LATER
        ),
        "disk_full": ErrorCode(
            503,
            "the server has no room for this file now; nothing was kept; try again later",
            LATER,
        ),
        "storage_failed": ErrorCode(
            503, "the server cannot store files now; nothing was kept; try again later", LATER
        ),
        "database_busy": ErrorCode(
            503, "the database is not available right now; nothing was kept; try again", SOON
        ),
        "incomplete_upload": ErrorCode(
            400, "the upload broke off before its end; nothing was kept; send it again"
        ),
        "bad_form": ErrorCode(400, "the form cannot be read: {reason}; use: {command}"),
        "too_many_files": ErrorCode(400, "more than one file was sent; send one in each call"),
        "file_not_expected": ErrorCode(400, "{name} takes no file; use: {command}"),
        "wrong_field": ErrorCode(
            400,
            "a file was sent as '{field}'; the fields are file, login, password; use: {command}",
        ),
        "field_too_long": ErrorCode(400, "a form field is longer than {limit} bytes; {repair}"),
        "duplicate_field": ErrorCode(400, "{field} was sent more than once; send it once"),
        "file_is_text": ErrorCode(
            400, "file is a text, not a file; put @ before the file's name: -F file=@students.csv"
        ),
        "missing_file": ErrorCode(400, "no file was sent; add -F file=@students.csv{sent}"),
        "missing_login": ErrorCode(400, "no login was sent; add -F login=you@school.example{sent}"),
        "missing_password": ErrorCode(
            400, "no password was sent; add -F 'password=<password.txt'{sent}"
        ),
        "bad_authorization": ErrorCode(
            400, "the Authorization header cannot be read; send login and password"
        ),
        "sign_in_needed": ErrorCode(
            401, "sign in with your login and password: curl --netrc {address}"
        ),
        "sign_in_failed": ErrorCode(
            401, "login or password is wrong, or this account may not start updates"
        ),
        "token_failed": ErrorCode(
            401,
            "the token is wrong, too old or revoked, or its member is not active; make another one at {tokens}",
        ),
        "token_needed": ErrorCode(
            403,
            "this account has a second factor, so that its password alone is not enough; make a token at {tokens} "
            "and send it to start, status and cancel: -H @token.txt instead of login and password",
        ),
        "second_factor_missing": ErrorCode(
            403,
            "your district requires a second factor, and this account has none yet; sign in at {url} in a browser and "
            "switch it on, which makes the token that scripts need",
        ),
        "not_allowed": ErrorCode(403, "your role may not do this; a district manager may"),
        "token_scope": ErrorCode(
            403, "this token is not for {scope}, only for {has}; make one that is at {tokens}"
        ),
        "token_elsewhere": ErrorCode(
            403, "a token is good for start, status and cancel only; look at this in a browser"
        ),
        "not_supported": ErrorCode(
            400, "{what} is known here, but does not work yet; leave it out"
        ),
        "misspelled_field": ErrorCode(400, "there is no field '{field}'; did you mean {known}?"),
        "field_elsewhere": ErrorCode(400, "{name} has no field '{field}'; leave it out"),
        "wrong_value": ErrorCode(400, "{field} cannot be '{value}'; {repair}"),
        "queue_full": ErrorCode(
            429, "as many updates wait as may wait ({waiting}); try again when one has ended", LATER
        ),
        "not_found": ErrorCode(404, "there is nothing at this address"),
        "bad_request": ErrorCode(400, "the request cannot be read"),
        "internal_error": ErrorCode(
            500, "something went wrong here, not with you; tell the operator: reference {id}"
        ),
    }
)


class ApiError(Exception):
    """The request ends here; ``code`` is one of REFUSALS and ``facts`` fill the gaps in its text."""

    def __init__(self, code: str, *, retry_after: int | None = None, **facts: object) -> None:
        super().__init__(code)
        kind = ERROR_CODES[code]
        self.code = code
        self.status = kind.status
        self.text = kind.text.format(**facts)
        self.retry_after = retry_after or kind.retry_after
