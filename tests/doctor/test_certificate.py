"""The certificate: real ones, valid and invalid, created for each test."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from rollbook.doctor import certificate
from rollbook.doctor.result import Level
from rollbook.server import tls
from tests.doctor.conftest import Here, results

NOW = datetime.now(UTC)
Make = Callable[..., Path]


def named(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Write a certificate and its key, as a certificate authority would issue them."""

    def write(
        *hosts: str,
        begins: datetime = NOW - timedelta(days=1),
        days: float = 90,
        issuer: str = "CA",
    ) -> Path:
        key = ec.generate_private_key(ec.SECP256R1())
        builder = (
            x509.CertificateBuilder()
            .subject_name(named("rollbook"))
            .issuer_name(named(issuer))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(NOW + timedelta(days=days))
        )
        if hosts:
            builder = builder.add_extension(
                x509.SubjectAlternativeName(list(map(x509.DNSName, hosts))), critical=False
            )
        chain = tmp_path / "fullchain.pem"
        chain.write_bytes(
            builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        )
        (tmp_path / "privkey.pem").touch(0o600)
        pem, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        (tmp_path / "privkey.pem").write_bytes(
            key.private_bytes(serialization.Encoding.PEM, pem, plain)
        )
        return chain

    return write


def look(here: Here, chain: Path, url: str = "https://rollbook.example") -> list[tuple[Level, str]]:
    return results(certificate.check(here(chain, chain.with_name("privkey.pem"), ROLLBOOK_URL=url)))


@pytest.mark.parametrize(
    "hosts", [["rollbook.example"], ["other.example", "ROLLBOOK.example"], ["*.example"]]
)
def test_a_good_one(here: Here, make: Make, hosts: list[str]) -> None:
    chain = make(*hosts)
    end = NOW + timedelta(days=90)
    assert look(here, chain) == [(Level.OK, f"{chain} is valid until {end:%Y-%m-%d}")]


def test_one_that_has_expired(here: Here, make: Make) -> None:
    chain = make("rollbook.example", begins=NOW - timedelta(days=90), days=-1)
    day = NOW - timedelta(days=1)
    assert look(here, chain) == [
        (Level.ERROR, f"{chain} expired on {day:%Y-%m-%d}, so every client rejects it")
    ]


@pytest.mark.parametrize(("days", "level"), [(20.5, Level.WARNING), (21.5, Level.OK)])
def test_one_that_expires_within_three_weeks(
    here: Here, make: Make, days: float, level: Level
) -> None:
    [(found, what)] = look(here, make("rollbook.example", days=days))
    assert found == level
    assert level is Level.OK or what.endswith("in 20 days")


def test_one_that_is_not_valid_yet(here: Here, make: Make) -> None:
    [(level, what)] = look(here, make("rollbook.example", begins=NOW + timedelta(days=1)))
    assert (level, "is not valid before" in what) == (Level.ERROR, True)


@pytest.mark.parametrize("host", ["other.example", "a.rollbook.example", "example"])
def test_one_for_another_host(here: Here, make: Make, host: str) -> None:
    chain = make("rollbook.example", "*.rollbook.test")
    what = f"{chain} is for rollbook.example and *.rollbook.test, but ROLLBOOK_URL is at {host}"
    assert look(here, chain, f"https://{host}") == [(Level.ERROR, what)]


def test_one_that_names_no_host(here: Here, make: Make) -> None:
    [(level, what)] = look(here, make())
    assert (level, "names no host" in what) == (Level.ERROR, True)


def test_a_wildcard_is_for_one_label(here: Here, make: Make) -> None:
    assert look(here, make("*.example"), "https://a.b.example")[0][0] == Level.ERROR


def test_without_an_address_no_name_is_compared(here: Here, make: Make) -> None:
    chain = make("other.example")
    key = chain.with_name("privkey.pem")
    assert results(certificate.check(here(chain, key)))[0][0] == Level.OK
    assert (
        results(certificate.check(here(chain, key, ROLLBOOK_URL="http://rollbook.example")))[0][0]
        == Level.OK
    )


def test_a_key_of_another_certificate(here: Here, make: Make) -> None:
    chain = make("rollbook.example")
    other = chain.read_bytes()
    make("rollbook.example")
    chain.write_bytes(other)
    [(level, what)] = look(here, chain)
    assert (level, "are not a certificate and its private key" in what) == (Level.ERROR, True)


def test_missing_files(here: Here, tmp_path: Path) -> None:
    missing = tmp_path / "missing.pem"
    assert look(here, missing) == [
        (Level.ERROR, f"{missing} cannot be read (No such file or directory)")
    ]


def test_a_key_that_every_account_can_read(here: Here, make: Make) -> None:
    chain = make("rollbook.example")
    key = chain.with_name("privkey.pem")
    key.chmod(0o644)
    assert look(here, chain) == [
        (Level.ERROR, f"every account on this machine can read the key {key}")
    ]


def test_the_self_signed_one_in_the_data_folder_is_reported_as_such(here: Here, data: Path) -> None:
    assert results(certificate.check(here()))[0][1].startswith("there is none yet")
    ours = tls.self_signed_certificate(data, "rollbook.example")
    [(level, what)] = results(certificate.check(here(ROLLBOOK_URL="https://rollbook.example")))
    assert (
        level,
        f"it is self-signed, so clients need a copy of it (CURL_CA_BUNDLE={ours.chain})" in what,
    ) == (
        Level.OK,
        True,
    )
    assert results(certificate.check(here(ROLLBOOK_URL="https://[::1]:8443")))[0][0] == Level.OK
    assert results(certificate.check(here(ROLLBOOK_URL="https://192.0.2.7")))[0][0] == Level.ERROR


def test_the_one_of_the_operators_site_is_not_the_servers(here: Here, data: Path) -> None:
    tls.local_certificate(data)
    [(level, what)] = results(certificate.check(here(ROLLBOOK_URL="https://rollbook.example")))
    assert (level, what.startswith("there is none yet")) == (Level.OK, True)


def test_behind_a_proxy_it_is_not_checked(here: Here) -> None:
    [(level, what)] = results(certificate.check(here(ROLLBOOK_BEHIND_PROXY="1")))
    assert (level, what.startswith("a proxy")) == (Level.OK, True)
