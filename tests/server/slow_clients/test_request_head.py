"""How much of a request is received before a thread takes it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbook.server.slow_clients.error_responses import ResponseSent
from rollbook.server.slow_clients.request_head import MAX_HEAD_BYTES, PREREAD_BYTES, Head, read_head


def head_of(*lines: str) -> Head | None:
    return read_head("\r\n".join(("POST / HTTP/1.1", *lines, "", "")).encode())


def test_a_request_without_a_body_is_complete_with_its_header() -> None:
    assert read_head(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n") == Head(
        size=27, length=0, expects_continue=False
    )


def test_a_header_is_complete_with_its_empty_line() -> None:
    assert read_head(b"") is None
    assert read_head(b"GET / HTTP/1.1\r\nHost: a\r\n") is None


def test_a_small_body_is_received_whole() -> None:
    head = head_of("Content-Length: 500")
    assert head
    assert not head.is_upload
    assert head.bytes_needed == head.size + 500


def test_of_a_large_body_the_first_64_kib_are_received() -> None:
    head = head_of(f"content-length:{PREREAD_BYTES + 1}")
    assert head
    assert head.is_upload
    assert head.bytes_needed == head.size + PREREAD_BYTES


@pytest.mark.parametrize("line", ["Transfer-Encoding: chunked", "expect: 100-Continue"])
def test_a_body_without_length_or_before_100_continue_is_not_received(line: str) -> None:
    head = head_of("Content-Length: 500", line)
    assert head
    assert head.is_upload
    assert head.bytes_needed == head.size


def test_a_content_length_in_the_body_is_ignored() -> None:
    head = read_head(b"POST / HTTP/1.1\r\nHost: a\r\n\r\n\r\nContent-Length: 9\r\n")
    assert head
    assert head.length == 0


@pytest.mark.parametrize(
    "received",
    [
        b"\x16\x03\x01",
        b"\x00",
        b" GET / HTTP/1.1",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    ],
)
def test_invalid_beginnings_are_answered_right_away(received: bytes) -> None:
    with pytest.raises(ResponseSent, match="bad_request"):
        read_head(received)


@pytest.mark.parametrize("line", ["\ufeffAuthorization: Bearer a", "Authorization: Bearer a\r"])
def test_a_header_from_a_file_with_a_bom_or_crlf_is_answered_with_the_cause(line: str) -> None:
    with pytest.raises(ResponseSent) as sent:
        head_of("Host: a", line, "Content-Length: 0")
    assert "byte order mark" in sent.value.response.advice


def test_a_header_that_is_too_long_is_answered() -> None:
    with pytest.raises(ResponseSent, match="header_too_large"):
        read_head(b"GET / HTTP/1.1\r\n" + b"x" * MAX_HEAD_BYTES)


@pytest.mark.parametrize(
    ("line", "is_refused"),
    [
        ("Cookie: a=" + "b" * 4000, False),
        ("Cookie: a=" + "b" * 4100, True),
        ("cookie:a=" + "b" * 3000 + "\r\nCOOKIE: c=" + "d" * 3000, True),
        ('Cookie: a="\\"', True),
        ("X-Cookie: \\", False),
    ],
)
def test_cookies_that_take_long_to_parse_are_refused(line: str, *, is_refused: bool) -> None:
    if not is_refused:
        assert head_of("Host: a", line)
        return
    with pytest.raises(ResponseSent, match="cookies_refused") as sent:
        head_of("Host: a", line)
    response = sent.value.response.encoded()
    assert response.startswith(b"HTTP/1.1 431 ")
    assert b"\r\n\r\nERROR cookies_refused: " in response
    assert response.count(b"\n", response.index(b"\r\n\r\n") + 4) == 1
    with pytest.raises(ResponseSent) as sent:
        head_of("Host: a", line, "Accept: text/html,*/*;q=0.8")
    page = sent.value.response.encoded()
    assert b"\r\nContent-Type: text/html; charset=utf-8\r\n" in page
    assert b"<h1>Cookies not accepted</h1>" in page


@given(st.binary())
def test_any_bytes_are_a_head_none_or_answered(received: bytes) -> None:
    try:
        head = read_head(received)
    except ResponseSent:
        return
    assert head is None or head.bytes_needed >= head.size
