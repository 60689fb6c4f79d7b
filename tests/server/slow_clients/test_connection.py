"""Connections: TLS, plain HTTP, responses in the middle of an upload, and invalid requests."""

import http.client
import os
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from rollbook.security_headers import SECURITY_HEADERS
from rollbook.web.http.error_codes import ERROR_CODES
from tests.server.conftest import Server, echo

pytestmark = [pytest.mark.process, pytest.mark.without_database]

UPLOAD = b"POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n"


def receive_all(sock: socket.socket) -> bytes:
    received = b""
    while data := sock.recv(65536):
        received += data
    return received


def test_curl_verifies_the_self_signed_certificate_by_name_and_by_address(server: Server) -> None:
    assert server.curl("/healthz") == "OK https\n\n200"
    assert server.curl("/healthz", host="127.0.0.1") == "OK https\n\n200"


@pytest.mark.statement("S35")
def test_tls_1_1_is_refused(server: Server) -> None:
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    with server.connect() as sock, pytest.raises(ssl.SSLError, match="alert protocol version"):
        old.wrap_socket(sock)


@pytest.mark.statement("S35")
def test_plain_http_is_refused_with_a_text_and_not_redirected(server: Server) -> None:
    output = server.curl("/slc/studentupdate/start", "-i", "-F", "password=secret", scheme="http")
    assert output.startswith("HTTP/1.1 403 Forbidden\n")
    assert "\nContent-Type: text/plain; charset=utf-8\n" in output
    assert "\nX-Request-Id: " in output
    assert "\nConnection: close\n" in output
    assert output.endswith(f"\nERROR use_https: {ERROR_CODES['use_https'].text}\n\n403")


def test_a_large_plain_upload_gets_the_same_response(server: Server, big_file: Path) -> None:
    output = server.curl("/slc/studentupdate/start", "-F", f"file=@{big_file}", scheme="http")
    assert output.startswith("ERROR use_https:")
    assert output.endswith("\n403")


@pytest.mark.parametrize("expect", [[], ["-H", "Expect:"]], ids=["asks first", "sends at once"])
def test_a_refusal_in_the_middle_of_an_upload_reaches_curl(
    server: Server, big_file: Path, expect: list[str]
) -> None:
    output = server.curl("/refuse", *expect, "-F", f"file=@{big_file}")
    assert output == "ERROR too_large: nobody has read the body\n\n413"


def test_a_client_that_asks_first_never_sends_a_refused_body(
    server: Server, big_file: Path
) -> None:
    assert (
        server.curl("/refuse", "-F", f"file=@{big_file}", "-o", os.devnull, "-w", "%{size_upload}")
        == "0"
    )


def test_a_client_that_sends_everything_before_it_reads_gets_the_refusal(
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


@pytest.mark.statement("S17")
def test_no_response_names_the_program_and_all_have_the_security_headers(server: Server) -> None:
    refused = server.curl("/healthz", "-i", "-H", 'Cookie: a="\\"')
    assert refused.startswith("HTTP/1.1 431 ")
    assert "\nStrict-Transport-Security: max-age=31536000\n" in refused
    for name, value in SECURITY_HEADERS.items():
        assert f"\n{name}: {value}\n" in refused
    for output in (refused, server.curl("/healthz", "-i"), server.curl("/broken", "-i")):
        assert "\nserver:" not in output.lower()


def test_a_cookie_that_takes_long_to_parse_is_refused_behind_a_proxy(tmp_path: Path) -> None:
    with echo(tmp_path, "--behind-proxy") as plain:
        output = plain.curl("/healthz", "-H", "Cookie: " + "a" * 5000)
    assert output.startswith("ERROR cookies_refused: ")
    assert output.endswith("\n431")


def test_a_large_response_arrives_whole(server: Server) -> None:
    assert server.curl("/large", "-o", os.devnull, "-w", "%{size_download}") == "5000000"


def test_100_continue_is_sent_when_the_application_reads_the_body(server: Server) -> None:
    with server.connect_tls() as client:
        client.sendall(UPLOAD + b"Expect: 100-continue\r\n\r\n")
        assert client.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(bytes(1_000_000))
        assert receive_all(client).endswith(b"OK 1000000 of 1000000\n")


def test_a_connection_is_used_for_several_requests(server: Server) -> None:
    output = server.curl("/healthz", "-v", f"https://localhost:{server.port}/healthz")
    assert "Re-using existing connection" in output


def test_pipelined_requests_are_answered_in_order(server: Server) -> None:
    get = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
    with server.connect_tls() as client:
        client.sendall(get + b"\r\n" + get + b"Connection: close\r\n\r\n")
        assert receive_all(client).count(b"OK https\n") == 2


def test_a_partial_pipelined_request_is_answered_when_it_is_complete(server: Server) -> None:
    get = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
    with server.connect_tls() as client:
        client.sendall(get + b"\r\n" + get)
        first = client.recv(65536)
        client.sendall(b"Connection: close\r\n\r\n")
        assert (first + receive_all(client)).count(b"OK https\n") == 2


def test_the_body_of_a_pipelined_upload_is_not_parsed_as_a_request(server: Server) -> None:
    get = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with server.connect_tls() as client:
        client.sendall(get + UPLOAD + b"\r\n" + get)
        first = client.recv(65536)
        client.sendall((1_000_000 - len(get)) * b"x")
        output = first + receive_all(client)
    assert output.count(b"OK https\n") == 1
    assert output.endswith(b"OK 1000000 of 1000000\n")


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
def test_invalid_requests_are_answered_in_one_line(
    server: Server, request_bytes: bytes, status: int, code: str
) -> None:
    with server.connect_tls() as client:
        client.sendall(request_bytes)
        output = receive_all(client).decode()
    assert output.startswith(f"HTTP/1.1 {status} ")
    head, _, body = output.partition("\r\n\r\n")
    assert body.startswith(f"ERROR {code}: ")
    assert body.count("\n") == 1
    assert "X-Request-Id: " in head
    assert "not for clients" not in output


def test_without_a_proxy_the_protocol_header_is_ignored(server: Server) -> None:
    assert server.curl("/healthz", "-H", "X-Forwarded-Proto: http") == "OK https\n\n200"


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with echo(tmp_path_factory.mktemp("data"), "--behind-proxy") as running:
        yield running


def test_behind_a_proxy_it_serves_plain_http_and_trusts_the_protocol_header(
    plain: Server,
) -> None:
    assert plain.curl("/healthz", "-H", "X-Forwarded-Proto: https") == "OK https\n\n200"
    assert plain.curl("/healthz") == "OK http\n\n200"


def test_behind_a_proxy_a_refusal_in_the_middle_of_an_upload_arrives(
    plain: Server, big_file: Path
) -> None:
    output = plain.curl("/refuse", "-H", "Expect:", "-F", f"file=@{big_file}")
    assert output == "ERROR too_large: nobody has read the body\n\n413"


def test_an_interrupted_upload_is_a_short_body_for_the_application(plain: Server) -> None:
    with plain.connect() as client:
        client.sendall(UPLOAD + b"\r\n" + bytes(700_000))
        client.shutdown(socket.SHUT_WR)
        assert receive_all(client).endswith(b"OK 700000 of 1000000\n")
