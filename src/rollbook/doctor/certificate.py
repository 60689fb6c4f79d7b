"""The certificate: usable, in time, and for the name by which people come."""

import ipaddress
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509

from rollbook.doctor.installation import Installation
from rollbook.doctor.result import CheckResult, error, ok, skipped, warning
from rollbook.environment import DATA, URL
from rollbook.server.tls import CertificateProblem, given
from rollbook.text import join_words

EXPIRY_WARNING = timedelta(days=21)
_RENEW = "renew it, and start the server again"


def check(here: Installation) -> Iterator[CheckResult]:
    """The one that the server was given, or that --cert and --key name; else the one in the data folder."""
    if here.behind_proxy:
        yield ok("a proxy in front of the server has one, which is not looked at here")
        return
    without = _without(here)
    if without:
        yield without
        return
    chain, key = here.certificate or (here.data / "certificate.pem", here.data / "certificate.key")
    try:
        given(chain, key)
        found = x509.load_pem_x509_certificates(chain.read_bytes())[0]
    except CertificateProblem as problem:
        what, _, repair = str(problem).partition("; ")
        yield error(what, repair or "correct what `rollbook serve` is given as --cert and --key")
        return
    problems = [
        *_in_time(chain, found, datetime.now(UTC)),
        *_names(chain, found, _host(here)),
        *_readable(key),
    ]
    yield from problems
    if not problems:
        yield ok(
            f"{chain} is good until {found.not_valid_after_utc:%Y-%m-%d}{_remark(here, chain, found)}"
        )


def _without(here: Installation) -> CheckResult | None:
    """What to say where there is none to look at."""
    if here.certificate:
        return None
    lacking = here.missing_requirement(DATA.name) or here.missing_requirement("folder")
    if lacking:
        return skipped(f"not looked at, as {lacking}; name yours with --cert and --key")
    if not (here.data / "certificate.pem").exists():
        return ok(
            "none is made yet: `rollbook serve` makes one, or is given yours; name that with --cert and --key"
        )
    return None


def _host(here: Installation) -> str:
    """The name by which people come; nothing if the settings do not tell."""
    if URL.name in here.variables.wrong:
        return ""
    return urlsplit(here.variables.values.get(URL.name, "")).hostname or ""


def _in_time(chain: Path, found: x509.Certificate, now: datetime) -> Iterator[CheckResult]:
    end = found.not_valid_after_utc
    if end <= now:
        yield error(f"{chain} has ended on {end:%Y-%m-%d}, and every client refuses it", _RENEW)
    elif end - EXPIRY_WARNING <= now:
        yield warning(f"{chain} ends on {end:%Y-%m-%d}, in {(end - now).days} days", _RENEW)
    if found.not_valid_before_utc > now:
        yield error(
            f"{chain} begins only on {found.not_valid_before_utc:%Y-%m-%d %H:%M} UTC",
            "see this machine's clock; if it is right, use the certificate before this one until then",
        )


def _names(chain: Path, found: x509.Certificate, host: str) -> Iterator[CheckResult]:
    try:
        named = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        yield error(
            f"{chain} names no host (it has no subjectAltName), and every client refuses it", _RENEW
        )
        return
    hosts = [
        *named.get_values_for_type(x509.DNSName),
        *map(str, named.get_values_for_type(x509.IPAddress)),
    ]
    if host and not any(_is_for(name, host) for name in hosts):
        yield error(
            f"{chain} is for {join_words(hosts) if hosts else 'no host'}, and ROLLBOOK_URL says {host}",
            f"correct ROLLBOOK_URL, or get one for {host}: `rollbook serve --host {host}` makes one, self-signed",
        )


def _is_for(name: str, host: str) -> bool:
    name, host = name.lower(), host.lower()
    try:
        return ipaddress.ip_address(name) == ipaddress.ip_address(host)
    except ValueError:
        return name == host or (name.startswith("*.") and host.partition(".")[2] == name[2:])


def _readable(key: Path) -> Iterator[CheckResult]:
    if key.stat().st_mode & 0o007:
        yield error(f"every account of this machine can read the key {key}", f"`chmod o-rwx {key}`")


def _remark(here: Installation, chain: Path, found: x509.Certificate) -> str:
    if found.issuer != found.subject:
        return ""
    told = f"; it is self-signed, so clients must be given it (CURL_CA_BUNDLE={chain})"
    is_known = here.certificate or (here.server and here.server.said)
    return told if is_known else f"{told}. Is it the server's? Else name that with --cert and --key"
