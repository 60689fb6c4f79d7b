"""Certificates: yours, or a self-signed one made at the first start that curl can check."""

import contextlib
import ipaddress
import os
import re
import socket
import ssl
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from rollbook.server.slow_clients.sockets import TlsSocket

LIFETIME = timedelta(days=730)
RENEWAL = timedelta(days=30)  # before its end, at the next start
NAME = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(\.(?!-)[A-Za-z0-9-]{1,63})*")


class CertificateProblem(Exception):
    """The certificate or its key cannot be used; the text says why and what to do."""


@dataclass(frozen=True)
class Certificate:
    """Two PEM files: the certificate, with those that lead from it to its issuer, and its private key."""

    chain: Path
    key: Path


def context(chain: Path | str, key: Path | str) -> ssl.SSLContext:
    """How we speak TLS: 1.2 or 1.3, with this certificate."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.minimum_version = ssl.TLSVersion.TLSv1_2
    tls.options |= ssl.OP_NO_RENEGOTIATION
    tls.sslsocket_class = TlsSocket
    # Without the lambda OpenSSL would ask the terminal for a key's passphrase, and a server has none.
    tls.load_cert_chain(chain, key, password=lambda: "")
    return tls


def given(chain: Path, key: Path) -> Certificate:
    """The operator's own certificate, once it is known to be usable."""
    for path in (chain, key):
        try:
            path.read_bytes()
        except OSError as error:
            raise CertificateProblem(
                f"{path} cannot be read ({error.strerror}); see its path and rights"
            ) from None
    try:
        context(chain, key)
    except (ssl.SSLError, ValueError):
        raise CertificateProblem(
            f"{chain} and {key} are not a certificate and its own private key in PEM, the key without a passphrase"
        ) from None
    return Certificate(chain, key)


def certificate(data: Path, host: str) -> Certificate:
    """The self-signed certificate in the data folder, made if there is none, if it ends soon or lacks a name."""
    ours = Certificate(data / "certificate.pem", data / "certificate.key")
    names = _names(host)
    if not _is_good(ours, names):
        _make(ours, names)
    return ours


def _names(host: str) -> list[x509.GeneralName]:
    """Every name and address people may write into the browser for this machine."""
    wanted = dict.fromkeys(("localhost", "127.0.0.1", "::1", socket.gethostname(), host))
    names = (_name(text) for text in wanted)
    return [name for name in names if name is not None]


def _name(text: str) -> x509.GeneralName | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return x509.DNSName(text.lower()) if NAME.fullmatch(text) else None
    return None if address.is_unspecified else x509.IPAddress(address)


def _is_good(ours: Certificate, names: Iterable[x509.GeneralName]) -> bool:
    try:
        found = x509.load_pem_x509_certificate(ours.chain.read_bytes())
        context(ours.chain, ours.key)
    except (
        OSError,
        ValueError,
    ):  # not there, not readable, or the key of another: ssl.SSLError is an OSError
        return False
    covered = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return found.not_valid_after_utc - RENEWAL > datetime.now(UTC) and set(names) <= set(covered)


def _make(ours: Certificate, names: list[x509.GeneralName]) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    signed = _signed(key, names)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    # Killed between the two, they do not belong together, and the next start makes them again.
    _write(ours.key, pem, 0o600)
    _write(ours.chain, signed.public_bytes(serialization.Encoding.PEM), 0o644)


def _signed(key: ec.EllipticCurvePrivateKey, names: list[x509.GeneralName]) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Rollbook, self-signed")])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))  # clocks differ
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _write(path: Path, content: bytes, mode: int) -> None:
    """The file appears whole, or stays as it was."""
    handle, draft = tempfile.mkstemp(dir=path.parent)  # 0600 from its first moment
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).chmod(mode)
        Path(draft).replace(path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            Path(draft).unlink()
