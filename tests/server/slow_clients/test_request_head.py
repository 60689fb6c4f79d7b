"""How much of a request is waited for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbook.server.slow_clients.error_responses import ResponseSent
from rollbook.server.slow_clients.request_head import FORETASTE, LONGEST_HEAD, Head, read_head


def head_of(*lines: str) -> Head | None:
    return read_head("\r\n".join(("POST / HTTP/1.1", *lines, "", "")).encode())


def test_a_request_without_a_body_is_complete_with_its_header() -> None:
    assert read_head(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n") == Head(
        size=27, length=0, expects_continue=False
    )


def test_a_header_is_waited_for_until_its_empty_line() -> None:
    assert read_head(b"") is None
    assert read_head(b"GET / HTTP/1.1\r\nHost: a\r\n") is None


def test_a_small_body_is_waited_for_whole() -> None:
    head = head_of("Content-Length: 500")
    assert head
    assert not head.is_upload
    assert head.wanted == head.size + 500


def test_of_a_large_body_the_first_64_kib_are_waited_for() -> None:
    head = head_of(f"content-length:{FORETASTE + 1}")
    assert head
    assert head.is_upload
    assert head.wanted == head.size + FORETASTE


@pytest.mark.parametrize("line", ["Transfer-Encoding: chunked", "expect: 100-Continue"])
def test_a_body_that_waits_to_be_asked_or_tells_no_length_is_not_waited_for(line: str) -> None:
    head = head_of("Content-Length: 500", line)
    assert head
    assert head.is_upload
    assert head.wanted == head.size


def test_a_length_in_the_body_is_not_looked_at() -> None:
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
def test_what_never_becomes_a_request_is_answered_at_once(received: bytes) -> None:
    with pytest.raises(ResponseSent, match="bad_request"):
        read_head(received)


def test_a_header_without_end_is_answered() -> None:
    with pytest.raises(ResponseSent, match="header_too_large"):
        read_head(b"GET / HTTP/1.1\r\n" + b"x" * LONGEST_HEAD)


@given(st.binary())
def test_any_bytes_are_a_head_or_none_or_answered(received: bytes) -> None:
    try:
        head = read_head(received)
    except ResponseSent:
        return
    assert head is None or head.wanted >= head.size
