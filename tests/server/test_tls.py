"""The certificate made at the first start, and the operator's own."""

import ipaddress
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from rollbook.server import tls

EVERYWHERE = "0.0.0.0"


def names_in(certificate: tls.Certificate) -> set[str]:
    found = x509.load_pem_x509_certificate(certificate.chain.read_bytes())
    return {
        str(name.value)
        for name in found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    }


def test_the_first_start_makes_a_certificate_for_this_machine(tmp_path: Path) -> None:
    made = tls.certificate(tmp_path, "rollbook.maple.example")
    assert made.chain == tmp_path / "certificate.pem"
    assert {"localhost", "127.0.0.1", "::1", "rollbook.maple.example"} <= names_in(made)
    found = x509.load_pem_x509_certificate(made.chain.read_bytes())
    assert isinstance(found.public_key(), ec.EllipticCurvePublicKey)
    assert (
        timedelta(days=729)
        < found.not_valid_after_utc - found.not_valid_before_utc
        < timedelta(days=732)
    )


def test_only_its_owner_can_read_the_key(tmp_path: Path) -> None:
    assert tls.certificate(tmp_path, "localhost").key.stat().st_mode & 0o777 == 0o600


def test_the_next_start_keeps_it(tmp_path: Path) -> None:
    before = tls.certificate(tmp_path, "localhost").chain.read_bytes()
    assert tls.certificate(tmp_path, EVERYWHERE).chain.read_bytes() == before


@pytest.mark.parametrize("host", [EVERYWHERE, "::", "a name with spaces", ""])
def test_what_is_no_name_of_this_machine_is_left_out(tmp_path: Path, host: str) -> None:
    assert host not in names_in(tls.certificate(tmp_path, host))


def test_an_address_becomes_an_address_and_not_a_name(tmp_path: Path) -> None:
    found = x509.load_pem_x509_certificate(
        tls.certificate(tmp_path, "192.0.2.7").chain.read_bytes()
    )
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert ipaddress.ip_address("192.0.2.7") in names.get_values_for_type(x509.IPAddress)


def test_it_is_made_again_for_another_host(tmp_path: Path) -> None:
    tls.certificate(tmp_path, "localhost")
    assert "192.0.2.7" in names_in(tls.certificate(tmp_path, "192.0.2.7"))


def test_it_is_made_again_when_it_ends_soon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls, "LIFETIME", timedelta(days=29))
    before = tls.certificate(tmp_path, "localhost").chain.read_bytes()
    monkeypatch.undo()
    assert tls.certificate(tmp_path, "localhost").chain.read_bytes() != before


@pytest.mark.parametrize("name", ["certificate.pem", "certificate.key"])
@pytest.mark.parametrize("damage", ["gone", "cut off", "of another"])
def test_a_damaged_pair_is_made_again(tmp_path: Path, name: str, damage: str) -> None:
    made = tls.certificate(tmp_path, "localhost")
    other = tmp_path / "other"
    other.mkdir()
    tls.certificate(other, "localhost")
    content = {"gone": None, "cut off": b"-----BEGIN", "of another": (other / name).read_bytes()}[
        damage
    ]
    (tmp_path / name).unlink()
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert tls.certificate(tmp_path, "localhost") == made
    tls.context(made.chain, made.key)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "certificate.key",
        "certificate.pem",
        "other",
    ]


def test_the_operators_own_certificate_is_taken(tmp_path: Path) -> None:
    made = tls.certificate(tmp_path, "localhost")
    assert tls.given(made.chain, made.key) == made


def test_an_own_certificate_that_is_not_there_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "missing.pem"
    with pytest.raises(tls.CertificateProblem) as told:
        tls.given(missing, missing)
    assert (
        str(told.value)
        == f"{missing} cannot be read (No such file or directory); see its path and rights"
    )


def test_a_key_with_a_passphrase_is_named_and_nobody_is_asked_for_it(tmp_path: Path) -> None:
    made = tls.certificate(tmp_path, "localhost")
    key = serialization.load_pem_private_key(made.key.read_bytes(), password=None)
    locked = serialization.BestAvailableEncryption(b"secret")
    made.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked),
    )
    with pytest.raises(tls.CertificateProblem, match="the key without a passphrase"):
        tls.given(made.chain, made.key)


def test_a_certificate_and_the_key_of_another_are_named(tmp_path: Path) -> None:
    made = tls.certificate(tmp_path, "localhost")
    (tmp_path / "other").mkdir()
    other = tls.certificate(tmp_path / "other", "localhost")
    with pytest.raises(tls.CertificateProblem) as told:
        tls.given(made.chain, other.key)
    assert str(told.value) == (
        f"{made.chain} and {other.key} are not a certificate and its own private key in PEM, "
        "the key without a passphrase"
    )
