"""Read a multipart form: fields into memory, the file into the spool, with limits on both."""

import io
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest, UnreadablePostError
from django.http.multipartparser import MultiPartParser, MultiPartParserError

from rollbook.text import printable
from rollbook.updates.receiving.files import IncomingFile
from rollbook.web.http.error_codes import ApiError
from rollbook.web.http.part_headers import PartHeaderNormalizer

MAX_FORM_BYTES = 64 * 1024
"""The maximum size of a form without its file."""

MAX_FIELD_BYTES = 4 * 1024
MAX_NAME_LENGTH = 100  # characters
TAIL_BYTES = 1024
STDIN = "-"
DAMAGED = (
    "its boundary or the header of a part is damaged. If the file name has unusual characters, "
    "write -F 'file=@NAME;filename=students.csv'"
)


@dataclass(frozen=True)
class Upload:
    """The uploaded file and its name."""

    incoming: IncomingFile
    name: str


@dataclass(frozen=True)
class Form:
    """A form: the values of each text field, and the file."""

    fields: dict[str, list[str]]
    upload: Upload | None

    def require_upload(self, sent: str = "") -> Upload:
        """Return the file.

        Args:
            sent: A clause for the error text that lists what was sent instead.

        Raises:
            ApiError: If there is no file.
        """
        if self.upload is None:
            raise ApiError("missing_file", sent=sent)
        return self.upload


def read_form(
    request: HttpRequest, exit_stack: ExitStack, *, command: str, takes_file: str | None
) -> Form:
    """Read the whole body, if there is one.

    Args:
        request: The request.
        exit_stack: Deletes the file when it closes, unless an update has taken it over.
        command: An example of a correct command, for error texts.
        takes_file: The name of the field for the file; None if no file is accepted.

    Raises:
        ApiError: If the form is malformed, incomplete or too large.
    """
    if request.META.get("CONTENT_LENGTH", "") in {"", "0"}:
        return Form({}, None)
    body = _CountingBody(request)
    handler = _SpoolUploadHandler(exit_stack, command, takes_file)
    try:
        fields, _ = _Parser(request.META, body, [handler], "utf-8").parse()
    except RequestDataTooBig:
        raise _too_long() from None
    except SuspiciousOperation:
        raise ApiError("bad_form", reason="it has too many fields", command=command) from None
    except MultiPartParserError:
        raise ApiError("bad_form", reason=DAMAGED, command=command) from None
    # Django ignores a body that ends early or has another boundary than the header names.
    if not body.is_whole:
        raise ApiError("incomplete_upload")
    texts = {name: [field_text(str(text)) for text in values] for name, values in fields.lists()}
    if any(len(value.encode()) > MAX_FIELD_BYTES for value in chain(*texts.values())):
        raise _too_long()
    return Form(texts, handler.upload)


def field_text(text: str) -> str:
    """Return the value of a field, which may be the content of a text file.

    A byte order mark at its beginning and a carriage return at its end are removed; a line feed is
    removed where it matters.
    """
    return text.removeprefix("\ufeff").removesuffix("\r")


def display_name(name: str) -> str:
    """Return the client's name for its file, printable and without folders.

    curl sends ``-`` for its standard input.
    """
    base_name = name.replace("\\", "/").rpartition("/")[2]
    shown = printable(base_name, MAX_NAME_LENGTH).strip()
    if shown == STDIN:
        return "stdin"
    return shown or "unnamed"


def _too_long() -> ApiError:
    return ApiError(
        "field_too_long",
        limit=f"{MAX_FIELD_BYTES:,}",
        repair="put @ before the name of a file, and end each part with the boundary",
    )


class _CountingBody(io.RawIOBase):
    """The request's body with normalized part headers.

    It records how many bytes are missing, and how the body ends.
    """

    def __init__(self, request: HttpRequest) -> None:
        super().__init__()
        self._request = request
        self._missing = int(request.META["CONTENT_LENGTH"])
        self._tail = b""
        boundary = (request.content_params or {}).get("boundary", "").encode()
        self._closing_boundary = b"--" + boundary + b"--"
        self._headers = PartHeaderNormalizer(boundary)

    def read(self, size: int | None = -1, /) -> bytes:
        """Return about as many bytes; b"" at the end of the body."""
        while data := self._read_raw(size):
            if normalized := self._headers.feed(data):
                return normalized
        return self._headers.feed(b"")

    def _read_raw(self, size: int | None) -> bytes:
        try:
            data: bytes = self._request.read(size)
        except UnreadablePostError:
            raise ApiError("incomplete_upload") from None
        self._missing -= len(data)
        self._tail = (self._tail + data[-TAIL_BYTES:])[-TAIL_BYTES:]
        return data

    @property
    def is_whole(self) -> bool:
        return self._missing == 0 and self._closing_boundary in self._tail


class _SpoolUploadHandler(FileUploadHandler):
    """Django upload handler that writes the only accepted file to the spool."""

    def __init__(self, exit_stack: ExitStack, command: str, takes_file: str | None) -> None:
        super().__init__()
        self._exit_stack = exit_stack
        self._command = command
        self._takes_file = takes_file
        self.upload: Upload | None = None

    def new_file(self, field_name: str, file_name: str, *args: Any, **kwargs: Any) -> None:
        self._require_expected(field_name)
        incoming = IncomingFile()
        self._exit_stack.callback(incoming.discard)
        self.upload = Upload(incoming, file_name)

    def _require_expected(self, field: str) -> None:
        if self._takes_file is None:
            raise ApiError("file_not_expected", name="this command", command=self._command)
        if field != self._takes_file:
            raise ApiError(
                "wrong_field", field=printable(field, MAX_NAME_LENGTH), command=self._command
            )
        if self.upload:
            raise ApiError("too_many_files")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if self.upload:
            self.upload.incoming.write(raw_data)
            require_size(self.upload.incoming.size)

    def file_complete(self, file_size: int) -> None:
        """Return no file to Django; the form has it."""


class _Parser(MultiPartParser):
    def sanitize_file_name(self, file_name: str) -> str:
        """Return a printable name. Django silently drops a file called ``..``."""
        return display_name(file_name)


def require_size(size: int, limit: int | None = None) -> None:
    """Check a size in bytes against ``limit``, by default the maximum size of a file.

    Raises:
        ApiError: If it is larger.
    """
    max_size = limit or settings.MAX_UPLOAD_BYTES
    if size > max_size:
        raise ApiError(
            "too_large",
            limit=f"{max_size:,}",
            repair="split the file by school, or send fewer fields",
        )
