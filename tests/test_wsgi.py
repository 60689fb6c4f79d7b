"""The application as a web server calls it, where Django's test client cannot get."""

import io
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest

from rollbook.wsgi import application

pytestmark = (
    pytest.mark.django_db
)  # between requests Django looks after the connection of the test before


def answer_to(**environ: object) -> tuple[str, bytes]:
    """The status line and the body."""
    request: dict[str, Any] = {"REQUEST_METHOD": "POST", "PATH_INFO": "/slc/studentupdate/start"}
    request |= {
        "wsgi.url_scheme": "https",
        "wsgi.input": io.BytesIO(b""),
        "CONTENT_LENGTH": "0",
    } | environ
    setup_testing_defaults(request)
    statuses: list[str] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        statuses.append(status)

    body = b"".join(application(request, start_response))
    return statuses[0], body


def test_a_content_type_that_cannot_be_read_is_no_form() -> None:
    status, body = answer_to(CONTENT_TYPE="multipart/form-data; boundary*=nope''x")
    assert status == "415 Unsupported Media Type"
    assert body.startswith(b"ERROR not_a_form: ")


def test_the_answer_to_head_has_no_body() -> None:
    status, body = answer_to(REQUEST_METHOD="HEAD")
    assert status == "405 Method Not Allowed"
    assert body == b""
