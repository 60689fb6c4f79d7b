"""The certificate created at the first start, and the operator's own."""

import ipaddress
import socket
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from rollbook.server import supervisor, tls
from rollbook.server.readiness import WILDCARD_HOSTS

WILDCARD = "::"


def names_in(certificate: tls.Certificate) -> set[str]:
    content = x509.load_pem_x509_certificate(certificate.chain.read_bytes())
    return {
        str(name.value)
        for name in content.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    }


def test_the_first_start_creates_a_certificate_for_the_server_and_localhost(
    tmp_path: Path,
) -> None:
    created = tls.self_signed_certificate(tmp_path, "rollbook.maple.example")
    assert created.chain == tmp_path / "certificate.pem"
    assert names_in(created) == {"localhost", "127.0.0.1", "::1", "rollbook.maple.example"}
    certificate = x509.load_pem_x509_certificate(created.chain.read_bytes())
    assert isinstance(certificate.public_key(), ec.EllipticCurvePublicKey)
    assert (
        timedelta(days=729)
        < certificate.not_valid_after_utc - certificate.not_valid_before_utc
        < timedelta(days=732)
    )


def test_only_its_owner_can_read_the_key(tmp_path: Path) -> None:
    assert tls.self_signed_certificate(tmp_path, "localhost").key.stat().st_mode & 0o777 == 0o600


def test_the_next_start_keeps_it(tmp_path: Path) -> None:
    before = tls.self_signed_certificate(tmp_path, "localhost").chain.read_bytes()
    assert tls.self_signed_certificate(tmp_path, WILDCARD).chain.read_bytes() == before


@pytest.mark.parametrize("url", ["https://rollbook.example", "https://Rollbook.example:8443/"])
def test_serve_makes_it_for_its_host_and_the_host_of_its_public_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("ROLLBOOK_URL", url)
    made = supervisor._certificate(tmp_path, "192.0.2.7", None, None)
    assert names_in(made) == {"localhost", "127.0.0.1", "::1", "192.0.2.7", "rollbook.example"}


def test_another_name_of_this_machine_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tls.self_signed_certificate(tmp_path, "rollbook.maple.example").chain.read_bytes()
    monkeypatch.setattr(socket, "gethostname", lambda: "container-8f3a1c")
    after = tls.self_signed_certificate(tmp_path, "rollbook.maple.example").chain.read_bytes()
    assert after == before


def test_one_of_an_earlier_version_with_more_names_is_kept(tmp_path: Path) -> None:
    hosts = ("rollbook.maple.example", "old-name-of-the-machine")
    before = tls.self_signed_certificate(tmp_path, *hosts).chain.read_bytes()
    assert tls.self_signed_certificate(tmp_path, hosts[0]).chain.read_bytes() == before


def test_the_operators_site_uses_the_certificate_of_the_server(tmp_path: Path) -> None:
    servers = tls.self_signed_certificate(tmp_path, "rollbook.maple.example")
    assert tls.local_certificate(tmp_path) == servers


@pytest.mark.parametrize("of_the_server", [None, b"", b"-----BEGIN"])
def test_the_operators_site_never_writes_the_certificate_of_the_server(
    tmp_path: Path, of_the_server: bytes | None
) -> None:
    servers = tmp_path / "certificate.pem"
    if of_the_server is not None:
        servers.write_bytes(of_the_server)
    local = tls.local_certificate(tmp_path)
    assert local.chain == tmp_path / "admin-certificate.pem"
    assert names_in(local) == {"localhost", "127.0.0.1", "::1"}
    assert local.key.stat().st_mode & 0o777 == 0o600
    assert tls.local_certificate(tmp_path).chain.read_bytes() == local.chain.read_bytes()
    assert (servers.read_bytes() if servers.exists() else None) == of_the_server


@pytest.mark.parametrize("host", [*WILDCARD_HOSTS, "a name with spaces", ""])
def test_names_that_are_not_of_this_machine_are_left_out(tmp_path: Path, host: str) -> None:
    assert host not in names_in(tls.self_signed_certificate(tmp_path, host))


def test_an_address_becomes_an_address_and_not_a_name(tmp_path: Path) -> None:
    certificate = x509.load_pem_x509_certificate(
        tls.self_signed_certificate(tmp_path, "192.0.2.7").chain.read_bytes()
    )
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert ipaddress.ip_address("192.0.2.7") in names.get_values_for_type(x509.IPAddress)


def test_it_is_created_again_for_another_host(tmp_path: Path) -> None:
    tls.self_signed_certificate(tmp_path, "localhost")
    assert "192.0.2.7" in names_in(tls.self_signed_certificate(tmp_path, "192.0.2.7"))


def test_it_is_created_again_when_it_expires_soon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls, "LIFETIME", timedelta(days=29))
    before = tls.self_signed_certificate(tmp_path, "localhost").chain.read_bytes()
    monkeypatch.undo()
    assert tls.self_signed_certificate(tmp_path, "localhost").chain.read_bytes() != before


@pytest.mark.parametrize("name", ["certificate.pem", "certificate.key"])
@pytest.mark.parametrize("damage", ["gone", "cut off", "of another"])
def test_a_damaged_pair_is_created_again(tmp_path: Path, name: str, damage: str) -> None:
    created = tls.self_signed_certificate(tmp_path, "localhost")
    other = tmp_path / "other"
    other.mkdir()
    tls.self_signed_certificate(other, "localhost")
    content = {"gone": None, "cut off": b"-----BEGIN", "of another": (other / name).read_bytes()}[
        damage
    ]
    (tmp_path / name).unlink()
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert tls.self_signed_certificate(tmp_path, "localhost") == created
    tls.context(created.chain, created.key)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "certificate.key",
        "certificate.pem",
        "other",
    ]


def test_the_operators_own_certificate_is_used(tmp_path: Path) -> None:
    created = tls.self_signed_certificate(tmp_path, "localhost")
    assert tls.load_certificate(created.chain, created.key) == created


def test_a_missing_certificate_is_reported(tmp_path: Path) -> None:
    missing = tmp_path / "missing.pem"
    with pytest.raises(tls.CertificateProblem) as error:
        tls.load_certificate(missing, missing)
    assert (
        str(error.value)
        == f"{missing} cannot be read (No such file or directory); check its path and permissions"
    )


def test_a_key_with_a_passphrase_is_reported_without_a_prompt(tmp_path: Path) -> None:
    created = tls.self_signed_certificate(tmp_path, "localhost")
    key = serialization.load_pem_private_key(created.key.read_bytes(), password=None)
    locked = serialization.BestAvailableEncryption(b"secret")
    created.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked),
    )
    with pytest.raises(tls.CertificateProblem, match="a key without a passphrase"):
        tls.load_certificate(created.chain, created.key)


def test_a_certificate_with_another_ones_key_is_reported(tmp_path: Path) -> None:
    created = tls.self_signed_certificate(tmp_path, "localhost")
    (tmp_path / "other").mkdir()
    other = tls.self_signed_certificate(tmp_path / "other", "localhost")
    with pytest.raises(tls.CertificateProblem) as error:
        tls.load_certificate(created.chain, other.key)
    assert str(error.value) == (
        f"{created.chain} and {other.key} are not a certificate and its private key in PEM format; "
        "use a matching pair, and a key without a passphrase"
    )
