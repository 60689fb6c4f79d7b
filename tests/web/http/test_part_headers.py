"""The headers of the parts of a form: in UTF-8, with CRLF, whatever the client sent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbook.web.http.part_headers import MAX_HEADER_BYTES, PartHeaderNormalizer
from tests.web.curl import BOUNDARY, File, form

PIECES = [
    *(b"\r\n", b"\n", b"\r", b"\n\n", b"\r\n\r\n", b"-", b"--", b"--B", b"--B--", b"B", b"x"),
    *(b'name="\xe9"', "name=\u00e9".encode(), b"\x81", b"\xff"),
]


def normalized(body: bytes, *, size: int = 1 << 16, boundary: bytes = b"B") -> bytes:
    normalizer = PartHeaderNormalizer(boundary)
    pieces = [body[first : first + size] for first in range(0, len(body), size)]
    return b"".join(map(normalizer.feed, [*pieces, b""]))


@given(st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join), st.integers(1, 9))
def test_the_size_of_the_pieces_does_not_matter(body: bytes, size: int) -> None:
    assert normalized(body, size=size) == normalized(body)


@given(st.binary(max_size=300), st.integers(1, 200))
def test_a_form_of_curl_is_not_changed(data: bytes, size: int) -> None:
    body = form([("file", File(data, "élèves.csv")), ("login", "a"), ("password", data)])
    assert normalized(body, size=size, boundary=BOUNDARY.encode()) == body


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"--B\nA: 1\n\nx\n\ny\n--B--\n", b"--B\r\nA: 1\r\n\r\nx\n\ny\n--B--\n"),
        (b"--B\r\nA: \xe9\r\n\r\n\xe9\r\n", b"--B\r\nA: \xc3\xa9\r\n\r\n\xe9\r\n"),
        (b"--B\n\nx\n--B--", b"--B\r\n\r\nx\n--B--"),
        (b"no form\n\n\xe9", b"no form\n\n\xe9"),
        (b"", b""),
    ],
)
def test_only_headers_are_normalized(body: bytes, expected: bytes) -> None:
    assert normalized(body) == expected


@pytest.mark.statement("S26")
def test_a_header_that_is_too_long_is_passed_on() -> None:
    body = b"--B\n" + b"\xe9" * MAX_HEADER_BYTES + b"\n\nx"
    assert normalized(body) == body
