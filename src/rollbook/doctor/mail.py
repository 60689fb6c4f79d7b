"""Checks the mail server: connects, signs in and names a sender; sends a mail only on request."""

import smtplib
import socket
import ssl
from collections.abc import Iterator
from email.utils import parseaddr

from django.conf import settings
from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend

from rollbook.doctor.environment import LOCAL
from rollbook.doctor.installation import Installation
from rollbook.doctor.result import CheckResult, Level, error, ok, warning
from rollbook.mail.content import Content
from rollbook.mail.outbox import compose

SMTP_TIMEOUT_S = 10  # for each reply of the server
PERMANENT_ERROR = 500
TEST = Content(
    outcome="Test of the mail settings",
    district="Rollbook",
    sentence="This test was requested with `rollbook doctor --mail-to`. Emails reach you.",
)
"""The email that is sent on request."""

_HOST = "correct ROLLBOOK_SMTP_HOST and ROLLBOOK_SMTP_PORT"
_REASONS: tuple[tuple[type[Exception], str, str], ...] = (
    (ConnectionRefusedError, "the connection was refused", f"start the mail server, or {_HOST}"),
    (
        socket.gaierror,
        "the host name cannot be resolved",
        "correct ROLLBOOK_SMTP_HOST, or check the name service",
    ),
    (
        TimeoutError,
        "it does not respond",
        f"{_HOST}; port 465 needs ROLLBOOK_SMTP_SECURITY=tls; otherwise check for a firewall",
    ),
    (
        ssl.SSLCertVerificationError,
        "its certificate is not trusted ({fault.verify_message})",
        "use the host name in its certificate, or make this machine trust its issuer: "
        "SSL_CERT_FILE",
    ),
    (
        ssl.SSLError,
        "it does not use TLS from the first byte",
        "set ROLLBOOK_SMTP_SECURITY to starttls, or correct ROLLBOOK_SMTP_PORT",
    ),
    (
        smtplib.SMTPNotSupportedError,
        "it does not support what the settings require ({fault})",
        "set ROLLBOOK_SMTP_SECURITY to what it supports; it may require TLS before sign-in",
    ),
    (
        smtplib.SMTPAuthenticationError,
        "it rejects the user name and password (code {fault.smtp_code})",
        "correct ROLLBOOK_SMTP_USER and ROLLBOOK_SMTP_PASSWORD",
    ),
    (
        smtplib.SMTPServerDisconnected,
        "it closes the connection",
        f"{_HOST}; port 465 needs ROLLBOOK_SMTP_SECURITY=tls; otherwise see the server's log",
    ),
    (smtplib.SMTPResponseException, "it replies {fault.smtp_code}", "see the server's log"),
    (Exception, "{fault}", "check that the mail server is running, and see its log"),
)


def check(installation: Installation) -> Iterator[CheckResult]:
    """Check the address, connection, TLS, sign-in and sender; send a test mail on request."""
    if not settings.EMAIL_HOST:
        yield from _files(installation)
        return
    problems = [*_settings(), *_unencrypted()]
    server = EmailBackend(timeout=SMTP_TIMEOUT_S)
    session = ""
    try:
        server.open()
        session = _session(server)
        problems += _sender(server)
        if installation.mail_to and not any(problem.level is Level.ERROR for problem in problems):
            yield _send(installation.mail_to, server)
    except (OSError, smtplib.SMTPException) as fault:
        problems.append(_connection_error(fault))
    finally:
        server.close()
    yield from problems
    if not problems:
        yield ok(f"{_place()} responds{session} and accepts emails from {_from()}")


def _files(installation: Installation) -> Iterator[CheckResult]:
    folder = settings.MAIL_FOLDER
    count = 0
    if not installation.missing_requirement("folder") and folder.is_dir():
        count = len(list(folder.glob("*")))
    yield warning(
        f"no mail server is set, so emails are saved as files in {folder} ({count:,} so far)",
        "set the server with ROLLBOOK_SMTP_HOST, and the sender with ROLLBOOK_MAIL_FROM",
    )
    if installation.mail_to:
        yield _send(installation.mail_to, get_connection())


def _place() -> str:
    return f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"


def _from() -> str:
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1]


def _settings() -> Iterator[CheckResult]:
    name, _, domain = _from().rpartition("@")
    if not name or not domain:
        yield error(
            f"ROLLBOOK_MAIL_FROM is {settings.DEFAULT_FROM_EMAIL!r}, "
            "which contains no email address",
            "write it like `Rollbook <rollbook@district.example>`",
        )
    elif "." not in domain and settings.EMAIL_HOST not in LOCAL:
        yield warning(
            f"emails are sent from {_from()}, and most mail servers reject emails from {domain}",
            "set ROLLBOOK_MAIL_FROM to an address of your own domain",
        )
    if bool(settings.EMAIL_HOST_USER) != bool(settings.EMAIL_HOST_PASSWORD):
        yield error(
            "only one of ROLLBOOK_SMTP_USER and ROLLBOOK_SMTP_PASSWORD is set, "
            "so Rollbook does not sign in",
            "set both, or neither",
        )


def _unencrypted() -> Iterator[CheckResult]:
    if not (settings.EMAIL_USE_TLS or settings.EMAIL_USE_SSL) and settings.EMAIL_HOST not in LOCAL:
        what = "emails and the password" if settings.EMAIL_HOST_USER else "emails"
        yield warning(
            f"{what} are sent to {settings.EMAIL_HOST} unencrypted",
            "set ROLLBOOK_SMTP_SECURITY to starttls or tls",
        )


def _session(server: EmailBackend) -> str:
    """Return the TLS version and the user, in words."""
    assert server.connection  # noqa: S101 - it is open
    words = ""
    if isinstance(server.connection.sock, ssl.SSLSocket):
        words += f" with {server.connection.sock.version()}"
    if settings.EMAIL_HOST_USER and settings.EMAIL_HOST_PASSWORD:
        words += f", accepts the sign-in of {settings.EMAIL_HOST_USER}"
    return words


def _sender(server: EmailBackend) -> Iterator[CheckResult]:
    """Name the sender to the server, then reset the transaction."""
    assert server.connection  # noqa: S101 - it is open
    server.connection.ehlo_or_helo_if_needed()
    code, _ = server.connection.mail(_from())
    server.connection.rset()
    if code >= PERMANENT_ERROR:
        yield error(
            f"{_place()} rejects emails from {_from()} (code {code})",
            "set ROLLBOOK_MAIL_FROM to an address that it accepts; "
            "it may also require a sign-in: ROLLBOOK_SMTP_USER",
        )
    elif code >= 400:
        yield warning(
            f"{_place()} rejects emails from {_from()} at the moment (code {code})",
            "try again; if that doesn't help, see its log",
        )


def _send(to: str, server: BaseEmailBackend) -> CheckResult:
    mail = compose(TEST, to)
    mail.connection = server
    try:
        mail.send()
    except smtplib.SMTPRecipientsRefused as fault:
        code = next(iter(fault.recipients.values()))[0]
        return error(
            f"{_place()} rejects emails to {to} (code {code})",
            "check the address, and see the server's log",
        )
    where = _place() if settings.EMAIL_HOST else f"a file in {settings.MAIL_FOLDER}"
    return ok(f"an email to {to} was sent to {where}; check that it arrives")


def _connection_error(fault: BaseException) -> CheckResult:
    if isinstance(fault, smtplib.SMTPServerDisconnected) and isinstance(fault.__context__, OSError):
        fault = fault.__context__  # smtplib reports a timeout as a disconnection
    what, fix = next((what, fix) for kind, what, fix in _REASONS if isinstance(fault, kind))
    return error(f"{_place()} cannot be used: {what.format(fault=fault)}", fix)
