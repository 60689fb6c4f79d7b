"""The certificate, good and bad: real ones, made for each test."""

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
from tests.doctor.conftest import Here, told

NOW = datetime.now(UTC)
Make = Callable[..., Path]


def named(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A certificate and its key, as somebody else would issue them."""

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
    return told(certificate.check(here(chain, chain.with_name("privkey.pem"), ROLLBOOK_URL=url)))


@pytest.mark.parametrize(
    "hosts", [["rollbook.example"], ["other.example", "ROLLBOOK.example"], ["*.example"]]
)
def test_a_good_one(here: Here, make: Make, hosts: list[str]) -> None:
    chain = make(*hosts)
    end = NOW + timedelta(days=90)
    assert look(here, chain) == [(Level.OK, f"{chain} is good until {end:%Y-%m-%d}")]


def test_one_that_has_ended(here: Here, make: Make) -> None:
    chain = make("rollbook.example", begins=NOW - timedelta(days=90), days=-1)
    day = NOW - timedelta(days=1)
    assert look(here, chain) == [
        (Level.ERROR, f"{chain} has ended on {day:%Y-%m-%d}, and every client refuses it")
    ]


@pytest.mark.parametrize(("days", "mark"), [(20.5, Level.WARNING), (21.5, Level.OK)])
def test_one_that_ends_within_three_weeks(here: Here, make: Make, days: float, mark: Level) -> None:
    [(found, what)] = look(here, make("rollbook.example", days=days))
    assert found == mark
    assert mark is Level.OK or what.endswith("in 20 days")


def test_one_that_has_not_begun(here: Here, make: Make) -> None:
    [(mark, what)] = look(here, make("rollbook.example", begins=NOW + timedelta(days=1)))
    assert (mark, "begins only on" in what) == (Level.ERROR, True)


@pytest.mark.parametrize("host", ["other.example", "a.rollbook.example", "example"])
def test_one_for_another_host(here: Here, make: Make, host: str) -> None:
    chain = make("rollbook.example", "*.rollbook.test")
    what = f"{chain} is for rollbook.example and *.rollbook.test, and ROLLBOOK_URL says {host}"
    assert look(here, chain, f"https://{host}") == [(Level.ERROR, what)]


def test_one_that_names_no_host(here: Here, make: Make) -> None:
    [(mark, what)] = look(here, make())
    assert (mark, "names no host" in what) == (Level.ERROR, True)


def test_a_wildcard_is_for_one_label(here: Here, make: Make) -> None:
    assert look(here, make("*.example"), "https://a.b.example")[0][0] == Level.ERROR


def test_without_an_address_no_name_is_compared(here: Here, make: Make) -> None:
    chain = make("other.example")
    key = chain.with_name("privkey.pem")
    assert told(certificate.check(here(chain, key)))[0][0] == Level.OK
    assert (
        told(certificate.check(here(chain, key, ROLLBOOK_URL="http://rollbook.example")))[0][0]
        == Level.OK
    )


def test_a_key_of_another_certificate(here: Here, make: Make) -> None:
    chain = make("rollbook.example")
    other = chain.read_bytes()
    make("rollbook.example")
    chain.write_bytes(other)
    [(mark, what)] = look(here, chain)
    assert (mark, "are not a certificate and its own private key" in what) == (Level.ERROR, True)


def test_files_that_are_not_there(here: Here, tmp_path: Path) -> None:
    missing = tmp_path / "missing.pem"
    assert look(here, missing) == [
        (Level.ERROR, f"{missing} cannot be read (No such file or directory)")
    ]


def test_a_key_that_every_account_can_read(here: Here, make: Make) -> None:
    chain = make("rollbook.example")
    key = chain.with_name("privkey.pem")
    key.chmod(0o644)
    assert look(here, chain) == [
        (Level.ERROR, f"every account of this machine can read the key {key}")
    ]


def test_the_self_signed_one_of_the_data_folder_is_told_to_be_that(here: Here, data: Path) -> None:
    assert told(certificate.check(here()))[0][1].startswith("none is made yet")
    ours = tls.certificate(data, "rollbook.example")
    [(mark, what)] = told(certificate.check(here(ROLLBOOK_URL="https://rollbook.example")))
    assert (
        mark,
        f"it is self-signed, so clients must be given it (CURL_CA_BUNDLE={ours.chain})" in what,
    ) == (
        Level.OK,
        True,
    )
    assert told(certificate.check(here(ROLLBOOK_URL="https://[::1]:8443")))[0][0] == Level.OK
    assert told(certificate.check(here(ROLLBOOK_URL="https://192.0.2.7")))[0][0] == Level.ERROR


def test_behind_a_proxy_there_is_none_to_look_at(here: Here) -> None:
    [(mark, what)] = told(certificate.check(here(ROLLBOOK_BEHIND_PROXY="1")))
    assert (mark, what.startswith("a proxy")) == (Level.OK, True)
