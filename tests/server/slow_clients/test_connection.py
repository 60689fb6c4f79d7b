"""What a client meets at the port: TLS, plain HTTP, answers in the middle of an upload, requests nobody can read."""

import http.client
import os
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.conftest import Server, echo

pytestmark = [pytest.mark.process, pytest.mark.without_database]

UPLOAD = b"POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n"


def everything_from(sock: socket.socket) -> bytes:
    received = b""
    while data := sock.recv(65536):
        received += data
    return received


def test_curl_verifies_the_self_signed_certificate_by_name_and_by_address(server: Server) -> None:
    assert server.curl("/healthz") == "OK https\n\n200"
    assert server.curl("/healthz", host="127.0.0.1") == "OK https\n\n200"


def test_tls_1_1_is_refused(server: Server) -> None:
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    with server.connect() as sock, pytest.raises(ssl.SSLError, match="alert protocol version"):
        old.wrap_socket(sock)


def test_plain_http_is_answered_in_words_and_never_redirected(server: Server) -> None:
    said = server.curl("/slc/studentupdate/start", "-i", "-F", "password=secret", scheme="http")
    assert said.startswith("HTTP/1.1 403 Forbidden\n")
    assert "\nContent-Type: text/plain; charset=utf-8\n" in said
    assert "\nX-Request-Id: " in said
    assert "\nConnection: close\n" in said
    assert said.endswith(
        "\nERROR use_https: this address speaks HTTPS only; write https:// in the address. "
        "Your password may have crossed the network readable: change it.\n\n403"
    )


def test_a_large_plain_upload_gets_the_same_answer(server: Server, big_file: Path) -> None:
    said = server.curl("/slc/studentupdate/start", "-F", f"file=@{big_file}", scheme="http")
    assert said.startswith("ERROR use_https:")
    assert said.endswith("\n403")


@pytest.mark.parametrize("expect", [[], ["-H", "Expect:"]], ids=["asks first", "sends at once"])
def test_a_refusal_in_the_middle_of_an_upload_reaches_curl(
    server: Server, big_file: Path, expect: list[str]
) -> None:
    said = server.curl("/refuse", *expect, "-F", f"file=@{big_file}")
    assert said == "ERROR too_large: nobody has read the body\n\n413"


def test_who_asks_first_never_sends_a_body_that_is_refused(server: Server, big_file: Path) -> None:
    assert (
        server.curl("/refuse", "-F", f"file=@{big_file}", "-o", os.devnull, "-w", "%{size_upload}")
        == "0"
    )


def test_a_client_that_sends_everything_before_it_reads_gets_its_refusal_too(
    server: Server, big_file: Path
) -> None:
    trust = ssl.create_default_context(cafile=str(server.data / "certificate.pem"))
    client = http.client.HTTPSConnection("localhost", server.port, timeout=20, context=trust)
    client.request("POST", "/refuse", body=big_file.read_bytes())
    assert client.getresponse().status == 413
    client.close()


def test_a_large_file_arrives_whole(server: Server, big_file: Path) -> None:
    assert (
        server.curl("/upload", "--data-binary", f"@{big_file}") == "OK 60000000 of 60000000\n\n200"
    )
    assert (
        server.curl("/upload", "-H", "Expect:", "--data-binary", f"@{big_file}")
        == "OK 60000000 of 60000000\n\n200"
    )


def test_a_large_answer_arrives_whole(server: Server) -> None:
    assert server.curl("/large", "-o", os.devnull, "-w", "%{size_download}") == "5000000"


def test_the_body_is_asked_for_when_the_application_reads_it(server: Server) -> None:
    with server.connect_tls() as client:
        client.sendall(UPLOAD + b"Expect: 100-continue\r\n\r\n")
        assert client.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(bytes(1_000_000))
        assert everything_from(client).endswith(b"OK 1000000 of 1000000\n")


def test_a_connection_serves_one_request_after_the_other(server: Server) -> None:
    said = server.curl("/healthz", "-v", f"https://localhost:{server.port}/healthz")
    assert "Re-using existing connection" in said


def test_requests_sent_ahead_of_their_answers_are_answered_in_turn(server: Server) -> None:
    get = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
    with server.connect_tls() as client:
        client.sendall(get + b"\r\n" + get + b"Connection: close\r\n\r\n")
        assert everything_from(client).count(b"OK https\n") == 2


def test_half_a_request_sent_ahead_is_answered_once_it_is_whole(server: Server) -> None:
    get = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
    with server.connect_tls() as client:
        client.sendall(get + b"\r\n" + get)
        first = client.recv(65536)
        client.sendall(b"Connection: close\r\n\r\n")
        assert (first + everything_from(client)).count(b"OK https\n") == 2


def test_nothing_of_an_upload_sent_ahead_is_taken_for_a_request(server: Server) -> None:
    get = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with server.connect_tls() as client:
        client.sendall(get + UPLOAD + b"\r\n" + get)
        first = client.recv(65536)
        client.sendall((1_000_000 - len(get)) * b"x")
        said = first + everything_from(client)
    assert said.count(b"OK https\n") == 1
    assert said.endswith(b"OK 1000000 of 1000000\n")


@pytest.mark.parametrize(
    ("request_bytes", "status", "code"),
    [
        (b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "bad_request"),
        (b"POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: many\r\n\r\n", 400, "bad_request"),
        (b"\x16\x03\x01\x02\x00", 400, "bad_request"),
        (b"GET /" + b"x" * 5000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414, "address_too_long"),
        (b"GET / HTTP/1.1\r\nCookie: " + b"x" * 40_000, 431, "header_too_large"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nExpect: a miracle\r\n\r\n", 417, "unknown_expectation"),
        (
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: zip, chunked\r\n\r\n",
            501,
            "unknown_coding",
        ),
        (b"GET /broken HTTP/1.1\r\nHost: a\r\n\r\n", 500, "internal"),
    ],
)
def test_what_cannot_be_served_is_answered_in_one_line(
    server: Server, request_bytes: bytes, status: int, code: str
) -> None:
    with server.connect_tls() as client:
        client.sendall(request_bytes)
        said = everything_from(client).decode()
    assert said.startswith(f"HTTP/1.1 {status} ")
    head, _, body = said.partition("\r\n\r\n")
    assert body.startswith(f"ERROR {code}: ")
    assert body.count("\n") == 1
    assert "X-Request-Id: " in head
    assert "nobody's business" not in said


def test_without_a_proxy_nobody_can_say_how_the_client_came(server: Server) -> None:
    assert server.curl("/healthz", "-H", "X-Forwarded-Proto: http") == "OK https\n\n200"


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with echo(tmp_path_factory.mktemp("data"), "--behind-proxy") as running:
        yield running


def test_behind_a_proxy_it_speaks_plain_http_and_believes_how_the_client_came(
    plain: Server,
) -> None:
    assert plain.curl("/healthz", "-H", "X-Forwarded-Proto: https") == "OK https\n\n200"
    assert plain.curl("/healthz") == "OK http\n\n200"


def test_behind_a_proxy_a_refusal_in_the_middle_of_an_upload_arrives(
    plain: Server, big_file: Path
) -> None:
    said = plain.curl("/refuse", "-H", "Expect:", "-F", f"file=@{big_file}")
    assert said == "ERROR too_large: nobody has read the body\n\n413"


def test_an_upload_that_breaks_off_is_a_short_body_for_the_application(plain: Server) -> None:
    with plain.connect() as client:
        client.sendall(UPLOAD + b"\r\n" + bytes(700_000))
        client.shutdown(socket.SHUT_WR)
        assert everything_from(client).endswith(b"OK 700000 of 1000000\n")
