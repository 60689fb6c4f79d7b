"""Checks that the certificate is usable, valid now, and issued for the server's address."""

import ipaddress
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509

from rollbook.doctor.installation import Installation
from rollbook.doctor.result import CheckResult, error, ok, skipped, warning
from rollbook.environment import DATA, URL
from rollbook.operations.alerts.certificate import EXPIRY_WARNING
from rollbook.server.tls import CertificateProblem, load_certificate
from rollbook.text import join_words

_RENEW = "renew it, then send SIGHUP to `rollbook serve` or `rollbook web`"


def check(installation: Installation) -> Iterator[CheckResult]:
    """Check the server's certificate, or that of --cert and --key, or the one we created."""
    if installation.behind_proxy:
        yield ok("a proxy terminates TLS; its certificate is not checked")
        return
    nothing_to_check = _nothing_to_check(installation)
    if nothing_to_check:
        yield nothing_to_check
        return
    data = installation.data
    chain, key = installation.certificate or (data / "certificate.pem", data / "certificate.key")
    try:
        load_certificate(chain, key)
        certificate = x509.load_pem_x509_certificates(chain.read_bytes())[0]
    except CertificateProblem as problem:
        what, _, fix = str(problem).partition("; ")
        yield error(what, fix or "correct --cert and --key of `rollbook serve`")
        return
    problems = [
        *_in_time(chain, certificate, datetime.now(UTC)),
        *_names(chain, certificate, _host(installation)),
        *_readable(key),
    ]
    yield from problems
    if not problems:
        note = _self_signed_note(installation, chain, certificate)
        yield ok(f"{chain} is valid until {certificate.not_valid_after_utc:%Y-%m-%d}{note}")


def _nothing_to_check(installation: Installation) -> CheckResult | None:
    """Return the result if there is no certificate to check."""
    if installation.certificate:
        return None
    missing = installation.missing_requirement(DATA.name)
    missing = missing or installation.missing_requirement("folder")
    if missing:
        return skipped(f"not checked, as {missing}; use --cert and --key to check yours")
    if not (installation.data / "certificate.pem").exists():
        return ok(
            "there is none yet; `rollbook serve` creates one. Use --cert and --key to check yours"
        )
    return None


def _host(installation: Installation) -> str:
    """Return the server's public host name; empty if the settings don't include it."""
    if URL.name in installation.variables.wrong:
        return ""
    return urlsplit(installation.variables.values.get(URL.name, "")).hostname or ""


def _in_time(chain: Path, certificate: x509.Certificate, now: datetime) -> Iterator[CheckResult]:
    end = certificate.not_valid_after_utc
    if end <= now:
        yield error(f"{chain} expired on {end:%Y-%m-%d}, so every client rejects it", _RENEW)
    elif end - EXPIRY_WARNING <= now:
        yield warning(f"{chain} expires on {end:%Y-%m-%d}, in {(end - now).days} days", _RENEW)
    if certificate.not_valid_before_utc > now:
        yield error(
            f"{chain} is not valid before {certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC",
            "check this machine's clock; if it is right, use the previous certificate until then",
        )


def _names(chain: Path, certificate: x509.Certificate, host: str) -> Iterator[CheckResult]:
    try:
        named = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        yield error(
            f"{chain} names no host (it has no subjectAltName), so every client rejects it", _RENEW
        )
        return
    hosts = [
        *named.get_values_for_type(x509.DNSName),
        *map(str, named.get_values_for_type(x509.IPAddress)),
    ]
    if host and not any(_is_for(name, host) for name in hosts):
        covered = join_words(hosts) if hosts else "no host"
        yield error(
            f"{chain} is for {covered}, but ROLLBOOK_URL is at {host}",
            f"correct ROLLBOOK_URL, or get a certificate for {host}; without --cert, "
            "`rollbook serve` creates one when it starts with this ROLLBOOK_URL",
        )


def _is_for(name: str, host: str) -> bool:
    name, host = name.lower(), host.lower()
    try:
        return ipaddress.ip_address(name) == ipaddress.ip_address(host)
    except ValueError:
        return name == host or (name.startswith("*.") and host.partition(".")[2] == name[2:])


def _readable(key: Path) -> Iterator[CheckResult]:
    if key.stat().st_mode & 0o007:
        yield error(f"every account on this machine can read the key {key}", f"`chmod o-rwx {key}`")


def _self_signed_note(
    installation: Installation, chain: Path, certificate: x509.Certificate
) -> str:
    if certificate.issuer != certificate.subject:
        return ""
    note = f"; it is self-signed, so clients need a copy of it (CURL_CA_BUNDLE={chain})"
    if installation.certificate or (installation.server and installation.server.options):
        return note
    return f"{note}. If the server uses another one, check that with --cert and --key"
