"""Certificates: the operator's, or a self-signed one that is created at the first start."""

import contextlib
import ipaddress
import os
import re
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
RENEWAL = timedelta(days=30)  # before it expires, at the next start
NAME = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(\.(?!-)[A-Za-z0-9-]{1,63})*")


class CertificateProblem(Exception):
    """The certificate or its key can't be used; the text says why and how to fix it."""


@dataclass(frozen=True)
class Certificate:
    """Two PEM files.

    Attributes:
        chain: The certificate, followed by its intermediate certificates.
        key: Its private key.
    """

    chain: Path
    key: Path


def context(chain: Path | str, key: Path | str) -> ssl.SSLContext:
    """Return the settings for TLS 1.2 and 1.3 with this certificate."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.minimum_version = ssl.TLSVersion.TLSv1_2
    tls.options |= ssl.OP_NO_RENEGOTIATION
    tls.sslsocket_class = TlsSocket
    # Without the lambda, OpenSSL would ask for a key's passphrase on the terminal.
    tls.load_cert_chain(chain, key, password=lambda: "")
    return tls


def load_certificate(chain: Path, key: Path) -> Certificate:
    """Return the operator's own certificate after checking that it is usable.

    Raises:
        CertificateProblem: A file can't be read, or they don't belong together.
    """
    for path in (chain, key):
        try:
            path.read_bytes()
        except OSError as error:
            raise CertificateProblem(
                f"{path} cannot be read ({error.strerror}); check its path and permissions"
            ) from None
    try:
        context(chain, key)
    except (ssl.SSLError, ValueError):
        raise CertificateProblem(
            f"{chain} and {key} are not a certificate and its private key in PEM format; "
            "use a matching pair, and a key without a passphrase"
        ) from None
    return Certificate(chain, key)


def valid_until(chain: Path) -> datetime:
    """Return when the first certificate of a usable chain expires."""
    return x509.load_pem_x509_certificates(chain.read_bytes())[0].not_valid_after_utc


def renewed_context(certificate: Certificate) -> ssl.SSLContext:
    """Return the settings with the present content of the files.

    Raises:
        CertificateProblem: They are not usable, or the certificate has expired.
    """
    load_certificate(certificate.chain, certificate.key)
    end = valid_until(certificate.chain)
    if end <= datetime.now(UTC):
        raise CertificateProblem(
            f"{certificate.chain} expired on {end:%Y-%m-%d}; renew it, and send SIGHUP again"
        )
    return context(certificate.chain, certificate.key)


def self_signed_certificate(data: Path, *hosts: str) -> Certificate:
    """Return the self-signed certificate in the data folder, for these hosts and localhost.

    It is created if there is none, if it expires soon, or if it doesn't cover all of them. The name
    of this machine isn't one of them: in a container, it is another one at each start.
    """
    ours = Certificate(data / "certificate.pem", data / "certificate.key")
    names = _names(*hosts)
    if not _is_valid(ours, names):
        _make(ours, names)
    return ours


def local_certificate(data: Path) -> Certificate:
    """Return a self-signed certificate for localhost, without changing the server's.

    This is the server's own self-signed one if that can be used. Otherwise it is another one, which
    only the operators' site uses.
    """
    names = _names()
    servers = Certificate(data / "certificate.pem", data / "certificate.key")
    if _is_valid(servers, names):
        return servers
    local = Certificate(data / "admin-certificate.pem", data / "admin-certificate.key")
    if not _is_valid(local, names):
        _make(local, names)
    return local


def _names(*hosts: str) -> list[x509.GeneralName]:
    names = (_name(text) for text in dict.fromkeys(("localhost", "127.0.0.1", "::1", *hosts)))
    return [name for name in names if name is not None]


def _name(text: str) -> x509.GeneralName | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return x509.DNSName(text.lower()) if NAME.fullmatch(text) else None
    return None if address.is_unspecified else x509.IPAddress(address)


def _is_valid(ours: Certificate, names: Iterable[x509.GeneralName]) -> bool:
    try:
        existing = x509.load_pem_x509_certificate(ours.chain.read_bytes())
        context(ours.chain, ours.key)
    # Missing, unreadable, or the key doesn't match: ssl.SSLError is an OSError.
    except (OSError, ValueError):
        return False
    covered = existing.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    if existing.not_valid_after_utc - RENEWAL <= datetime.now(UTC):
        return False
    return set(names) <= set(covered)


def _make(ours: Certificate, names: list[x509.GeneralName]) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    signed = _signed(key, names)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    # If we are killed between the two, they don't match, and the next start creates them again.
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
    """Write the file atomically."""
    handle, draft = tempfile.mkstemp(dir=path.parent)  # created with mode 0600
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
