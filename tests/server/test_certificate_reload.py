"""SIGHUP: a new certificate is used without dropping anyone, and a bad one is refused."""

import os
import signal
import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from rollbook.server import tls
from tests.installations import installed
from tests.patience import TIMEOUT_S
from tests.server.test_supervisor import Serve, eventually, serve

pytestmark = [pytest.mark.process, pytest.mark.daily_on("sqlite")]

UPLOAD = b"POST /slc/studentupdate/start HTTP/1.1\r\nHost: localhost\r\n"


def write_certificate(folder: Path, lifetime: timedelta = tls.LIFETIME) -> bytes:
    """Write ``chain.pem`` and ``key.pem`` as a renewal does; return the certificate as DER."""
    fresh = folder / f"fresh-{time.monotonic_ns()}"
    fresh.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tls, "LIFETIME", lifetime)
        made = tls.self_signed_certificate(fresh)
    made.key.replace(folder / "key.pem")
    made.chain.replace(folder / "chain.pem")
    return ssl.PEM_cert_to_DER_cert((folder / "chain.pem").read_text())


def served(running: Serve) -> bytes | None:
    """Return the certificate that a new client gets."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with context.wrap_socket(running.server.connect()) as client:
        return client.getpeercert(binary_form=True)


def start_upload(running: Serve) -> ssl.SSLSocket:
    """Send the head of a request and a part of its body."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    client = context.wrap_socket(running.server.connect())
    client.settimeout(TIMEOUT_S)
    head = b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 200000\r\n\r\n"
    client.sendall(UPLOAD + head + b"-" * 100_000)
    return client


def finish_upload(client: ssl.SSLSocket) -> bytes:
    """Send the rest; return the first line of the response."""
    client.sendall(b"-" * 100_000)
    return client.recv(4096).partition(b"\r\n")[0]


def is_logged(running: Serve, start: int, text: str) -> bool:
    return text in running.log.read_text()[start:]


def damage_key(folder: Path) -> None:
    (folder / "key.pem").write_bytes(b"-----BEGIN")


def remove_chain(folder: Path) -> None:
    (folder / "chain.pem").unlink()


def use_other_key(folder: Path) -> None:
    chain = (folder / "chain.pem").read_bytes()
    write_certificate(folder)
    (folder / "chain.pem").write_bytes(chain)


def let_expire(folder: Path) -> None:
    write_certificate(folder, timedelta(hours=-1))


BAD: dict[str, Callable[[Path], None]] = {
    "are not a certificate and its private key": damage_key,
    "cannot be read (No such file": remove_chain,
    "are not a certificate and its private key in PEM format;": use_other_key,
    "expired on": let_expire,
}


def test_a_renewed_certificate_is_used_without_dropping_an_upload_and_a_bad_one_is_refused(
    tmp_path: Path,
) -> None:
    first = write_certificate(tmp_path)
    options = ("--cert", str(tmp_path / "chain.pem"), "--key", str(tmp_path / "key.pem"))
    with serve(installed(tmp_path / "data"), 0, *options) as running:
        assert served(running) == first
        web = running.child("web")
        with start_upload(running) as upload:
            second = write_certificate(tmp_path)
            running.process.send_signal(signal.SIGHUP)
            assert eventually(lambda: served(running) == second)
            assert "certificate reloaded, valid until" in running.log.read_text()
            assert finish_upload(upload).startswith(b"HTTP/1.1 4")  # our answer to a bad form
        for problem, damage in BAD.items():
            before = len(running.log.read_text())
            damage(tmp_path)
            running.process.send_signal(signal.SIGHUP)
            assert eventually(partial(is_logged, running, before, problem))
            assert served(running) == second
            write_certificate(tmp_path)
        assert running.child("web") == web
        assert "web ended" not in running.log.read_text()
        running.stop()


def test_the_web_server_by_itself_checks_what_it_reloads(tmp_path: Path) -> None:
    first = write_certificate(tmp_path)
    options = ("--cert", str(tmp_path / "chain.pem"), "--key", str(tmp_path / "key.pem"))
    with serve(installed(tmp_path / "data"), 0, *options) as running:
        damage_key(tmp_path)
        os.kill(running.child("web"), signal.SIGHUP)
        reason = "the certificate is not reloaded, so the previous one stays"
        assert eventually(lambda: reason in running.log.read_text())
        assert served(running) == first
        running.stop()


def test_a_self_signed_certificate_that_expires_soon_is_renewed(tmp_path: Path) -> None:
    data = installed(tmp_path / "data")
    with serve(data) as running:
        first = served(running)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(tls, "LIFETIME", timedelta(days=20))
            (data / "certificate.pem").unlink()
            tls.self_signed_certificate(data, "127.0.0.1")
        running.process.send_signal(signal.SIGHUP)
        assert eventually(lambda: "certificate reloaded" in running.log.read_text())
        chain = data / "certificate.pem"
        assert served(running) == ssl.PEM_cert_to_DER_cert(chain.read_text()) != first
        assert tls.valid_until(chain) - datetime.now(UTC) > timedelta(days=700)
        running.stop()
