"""Send requests like curl: multipart forms over HTTPS, with the file first."""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.test import Client

from tests.conftest import PASSWORD

BOUNDARY = "------------------------d74496d66958873e"
FORM = f"multipart/form-data; boundary={BOUNDARY}"
STUDENTS = b"STUDENT_ID,FIRST_NAME,LAST_NAME\r\n100,Ada,Lovelace\r\n101,Alan,Turing\r\n"


@dataclass(frozen=True)
class File:
    """A file part, as curl sends for ``@name``."""

    data: bytes = STUDENTS
    name: str = "students.csv"


Part = tuple[str, str | bytes | File]


def form(parts: Sequence[Part], *, boundary: str = BOUNDARY, end: bool = True) -> bytes:
    """Return the body of a form with these parts; without its last line unless ``end``."""
    lines = [_part(name, value, boundary) for name, value in parts]
    return b"".join(lines) + (f"--{boundary}--\r\n".encode() if end else b"")


def _part(name: str, value: str | bytes | File, boundary: str) -> bytes:
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"'
    if isinstance(value, File):
        return (
            f'{head}; filename="{value.name}"\r\nContent-Type: text/csv\r\n\r\n'.encode()
            + value.data
            + b"\r\n"
        )
    data = value if isinstance(value, bytes) else value.encode()
    return f"{head}\r\n\r\n".encode() + data + b"\r\n"


def basic(login: str, password: str) -> str:
    """Return the Authorization header that curl sends for ``--netrc`` or ``-u``."""
    return "Basic " + base64.b64encode(f"{login}:{password}".encode()).decode()


class Curl:
    """A client that sends ``login`` and ``password`` in every form by default."""

    def __init__(self, login: str = "ops@maple.example", password: str = PASSWORD) -> None:
        self.client = Client(raise_request_exception=False)
        self.sign_in: list[Part] = [("login", login), ("password", password)]

    def start(self, file: File | None = None, *more: Part, **headers: str) -> Any:
        """``-F file=@… -F login=… -F password=…`` and more fields."""
        return self.post("start", [("file", file or File()), *self.sign_in, *more], **headers)

    def status(self, *more: Part, **headers: str) -> Any:
        return self.post("status", [*self.sign_in, *more], **headers)

    def cancel(self, *more: Part, **headers: str) -> Any:
        return self.post("cancel", [*self.sign_in, *more], **headers)

    def approve(self, *more: Part, **headers: str) -> Any:
        return self.post("approve", [*self.sign_in, *more], **headers)

    def discard(self, *more: Part, **headers: str) -> Any:
        return self.post("discard", [*self.sign_in, *more], **headers)

    def post(self, command: str, parts: Sequence[Part], **headers: str) -> Any:
        return self.raw(command, form(parts), headers=headers)

    def raw(
        self,
        command: str,
        body: bytes,
        *,
        content_type: str = FORM,
        length: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Send any body; ``length`` replaces the Content-Length."""
        content_length = len(body) if length is None else length
        meta = {f"HTTP_{name.upper()}": value for name, value in (headers or {}).items()}
        return self.client.generic(
            "POST",
            f"/slc/studentupdate/{command}",
            secure=True,
            **{  # type: ignore[arg-type]
                "CONTENT_TYPE": content_type,
                "CONTENT_LENGTH": str(content_length),
                "wsgi.input": io.BytesIO(body),
                **meta,
            },
        )


def text(response: Any) -> str:
    """Return the text of the response."""
    return str(response.content.decode())


def first_line(response: Any) -> str:
    return text(response).partition("\n")[0]


def verdict(response: Any) -> str:
    """Return the text before the first colon, for example ``ERROR sign_in_failed``."""
    return text(response).partition(":")[0]
