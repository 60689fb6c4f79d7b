"""The form as it streams in: text into memory, the one file straight to the spool, every limit held on the way."""

import io
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest, UnreadablePostError
from django.http.multipartparser import MultiPartParser, MultiPartParserError

from rollbook.text import printable
from rollbook.updates.receiving.files import IncomingFile
from rollbook.web.http.error_codes import ApiError

MAX_FORM_BYTES = 64 * 1024
"""Bytes that the fields and the boundaries of a form may take, besides its file."""

LONGEST_FIELD = 4 * 1024
LONGEST_NAME = 100
TAIL = 1024
STDIN = "-"
DAMAGED = (
    "its boundary or the head of a part is damaged. A file whose name is not UTF-8 does that: "
    "then write -F 'file=@NAME;filename=students.csv'"
)


@dataclass(frozen=True)
class Upload:
    """The file of a form: where its bytes are, and what to call it."""

    incoming: IncomingFile
    name: str


@dataclass(frozen=True)
class Form:
    """What was sent: each text field with all its values, and the file."""

    fields: dict[str, list[str]]
    upload: Upload | None

    def require_upload(self, sent: str = "") -> Upload:
        """Return the file; refuse a form without one.

        Args:
            sent: A clause that says what was sent instead, for the refusal.
        """
        if self.upload is None:
            raise ApiError("missing_file", sent=sent)
        return self.upload


def read_form(
    request: HttpRequest, ended: ExitStack, *, command: str, takes_file: str | None
) -> Form:
    """Read the whole body, if there is one. ``takes_file`` is the one field a file may come in.

    ``command`` goes into refusals. What was written to the spool is discarded when ``ended`` closes, unless an update
    has taken it over by then.
    """
    if request.META.get("CONTENT_LENGTH", "") in {"", "0"}:
        return Form({}, None)
    body = _CountingBody(request)
    sink = _SpoolUploadHandler(ended, command, takes_file)
    try:
        fields, _ = _Parser(request.META, body, [sink], "utf-8").parse()
    except RequestDataTooBig:
        raise _too_long() from None
    except SuspiciousOperation:
        raise ApiError("bad_form", reason="it has too many fields", command=command) from None
    except MultiPartParserError:
        raise ApiError("bad_form", reason=DAMAGED, command=command) from None
    # Django says nothing about a body that breaks off or uses another boundary than it names.
    if not body.is_whole:
        raise ApiError("incomplete_upload")
    sent = {name: [str(value) for value in values] for name, values in fields.lists()}
    if any(len(value.encode()) > LONGEST_FIELD for values in sent.values() for value in values):
        raise _too_long()
    return Form(sent, sink.upload)


def display_name(name: str) -> str:
    """What the client called its file, without folders, on one line; ``-`` is how curl calls its standard input."""
    last = name.replace("\\", "/").rpartition("/")[2]
    shown = printable(last, LONGEST_NAME).strip()
    return "stdin" if shown == STDIN else shown or "unnamed"


def _too_long() -> ApiError:
    return ApiError(
        "field_too_long",
        limit=f"{LONGEST_FIELD:,}",
        repair="a file needs @ before its name, and each part must end with the boundary",
    )


class _CountingBody(io.RawIOBase):
    """The request's body, which remembers how much came and how it ended."""

    def __init__(self, request: HttpRequest) -> None:
        super().__init__()
        self._request = request
        self._missing = int(request.META["CONTENT_LENGTH"])
        self._tail = b""
        self._closing = f"--{(request.content_params or {}).get('boundary', '')}--".encode()

    def read(self, size: int | None = -1, /) -> bytes:
        try:
            data: bytes = self._request.read(size)
        except UnreadablePostError:
            raise ApiError("incomplete_upload") from None
        self._missing -= len(data)
        self._tail = (self._tail + data)[-TAIL:]
        return data

    @property
    def is_whole(self) -> bool:
        return self._missing == 0 and self._closing in self._tail


class _SpoolUploadHandler(FileUploadHandler):
    """Takes the one file that may come."""

    def __init__(self, ended: ExitStack, command: str, takes_file: str | None) -> None:
        super().__init__()
        self._ended = ended
        self._command = command
        self._takes_file = takes_file
        self.upload: Upload | None = None

    def new_file(self, field_name: str, file_name: str, *args: Any, **kwargs: Any) -> None:
        self._require_expected(field_name)
        incoming = IncomingFile()
        self._ended.callback(incoming.discard)
        self.upload = Upload(incoming, file_name)

    def _require_expected(self, field: str) -> None:
        if self._takes_file is None:
            raise ApiError("file_not_expected", name="this command", command=self._command)
        if field != self._takes_file:
            raise ApiError(
                "wrong_field", field=printable(field, LONGEST_NAME), command=self._command
            )
        if self.upload:
            raise ApiError("too_many_files")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if self.upload:
            self.upload.incoming.write(raw_data)
            require_size(self.upload.incoming.size)

    def file_complete(self, file_size: int) -> None:
        """Nothing to hand to Django: the form has the file."""


class _Parser(MultiPartParser):
    def sanitize_file_name(self, file_name: str) -> str:
        """Django drops a file called ``..`` without a word; it is a file all the same."""
        return display_name(file_name)


def require_size(size: int, limit: int | None = None) -> None:
    """Refuse what is larger than a file may be."""
    most = limit or settings.MAX_UPLOAD_BYTES
    if size > most:
        raise ApiError(
            "too_large",
            limit=f"{most:,}",
            repair="split the file by school, or send less in the form",
        )
