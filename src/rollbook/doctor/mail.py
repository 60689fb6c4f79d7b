"""Whether mails can be sent: to the point where the server would take one, and further only if a mail is asked for."""

import smtplib
import socket
import ssl
from collections.abc import Iterator
from email.utils import parseaddr

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend

from rollbook.doctor.environment import LOCAL
from rollbook.doctor.installation import Installation
from rollbook.doctor.result import CheckResult, Level, error, ok, warning

SMTP_TIMEOUT_S = 10  # seconds for each of the server's answers
PERMANENT = 500

_HOST = "correct ROLLBOOK_SMTP_HOST and ROLLBOOK_SMTP_PORT"
_REASONS: tuple[tuple[type[Exception], str, str], ...] = (
    (ConnectionRefusedError, "nobody listens there", f"start the mail server, or {_HOST}"),
    (
        socket.gaierror,
        "this machine does not know that host",
        "correct ROLLBOOK_SMTP_HOST, or see to the name service",
    ),
    (
        TimeoutError,
        "it does not answer",
        f"{_HOST}; port 465 wants ROLLBOOK_SMTP_SECURITY=tls; else see whether a firewall is in between",
    ),
    (
        ssl.SSLCertVerificationError,
        "its certificate cannot be trusted ({fault.verify_message})",
        "name the host as its certificate does, or let this machine trust who issued it: SSL_CERT_FILE",
    ),
    (
        ssl.SSLError,
        "it does not speak TLS from the first byte",
        "set ROLLBOOK_SMTP_SECURITY to starttls, or correct ROLLBOOK_SMTP_PORT",
    ),
    (
        smtplib.SMTPNotSupportedError,
        "it does not offer what is asked for ({fault})",
        "set ROLLBOOK_SMTP_SECURITY as the server wants it; it may let nobody sign in without TLS",
    ),
    (
        smtplib.SMTPAuthenticationError,
        "it does not accept user and password (code {fault.smtp_code})",
        "correct ROLLBOOK_SMTP_USER and ROLLBOOK_SMTP_PASSWORD",
    ),
    (
        smtplib.SMTPServerDisconnected,
        "it ends the connection",
        f"{_HOST}; port 465 wants ROLLBOOK_SMTP_SECURITY=tls; else see the server's log",
    ),
    (smtplib.SMTPResponseException, "it answers {fault.smtp_code}", "see the server's log"),
    (Exception, "{fault}", "see whether that machine runs, and the mail server's log"),
)


def check(here: Installation) -> Iterator[CheckResult]:
    """Address, connection, TLS, sign-in, sender; then the mail, if one is asked for."""
    if not settings.EMAIL_HOST:
        yield from _files(here)
        return
    problems = [*_plausible(), *_in_the_clear()]
    server = EmailBackend(timeout=SMTP_TIMEOUT_S)
    doing = ""
    try:
        server.open()
        doing = _doing(server)
        problems += _sender(server)
        if here.mail_to and not any(problem.mark is Level.ERROR for problem in problems):
            yield _sent(here.mail_to, server)
    except (OSError, smtplib.SMTPException) as fault:
        problems.append(_told(fault))
    finally:
        server.close()
    yield from problems
    if not problems:
        yield ok(f"{_place()} answers{doing}, and takes mails from {_from()}")


def _files(here: Installation) -> Iterator[CheckResult]:
    folder = settings.MAIL_FOLDER
    count = (
        len(list(folder.glob("*")))
        if not here.missing_requirement("folder") and folder.is_dir()
        else 0
    )
    yield warning(
        f"no mail server is named: mails reach nobody, but are files in {folder} ({count:,} so far)",
        "name one with ROLLBOOK_SMTP_HOST, and the sender with ROLLBOOK_MAIL_FROM",
    )
    if here.mail_to:
        yield _sent(here.mail_to, get_connection())


def _place() -> str:
    return f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"


def _from() -> str:
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1]


def _plausible() -> Iterator[CheckResult]:
    name, _, domain = _from().rpartition("@")
    if not name or not domain:
        yield error(
            f"ROLLBOOK_MAIL_FROM is {settings.DEFAULT_FROM_EMAIL!r}, which has no e-mail address",
            "write it like `Rollbook <rollbook@district.example>`",
        )
    elif "." not in domain and settings.EMAIL_HOST not in LOCAL:
        yield warning(
            f"mails come from {_from()}, and few mail servers take mails from {domain}",
            "set ROLLBOOK_MAIL_FROM to an address of your own domain",
        )
    if bool(settings.EMAIL_HOST_USER) != bool(settings.EMAIL_HOST_PASSWORD):
        yield error(
            "of ROLLBOOK_SMTP_USER and ROLLBOOK_SMTP_PASSWORD only one is set, so Rollbook does not sign in",
            "set both, or neither",
        )


def _in_the_clear() -> Iterator[CheckResult]:
    if not (settings.EMAIL_USE_TLS or settings.EMAIL_USE_SSL) and settings.EMAIL_HOST not in LOCAL:
        yield warning(
            f"mails{' and the password' if settings.EMAIL_HOST_USER else ''} go to {settings.EMAIL_HOST} in the clear",
            "set ROLLBOOK_SMTP_SECURITY to starttls or tls",
        )


def _doing(server: EmailBackend) -> str:
    """How the conversation goes so far."""
    assert server.connection
    version = (
        server.connection.sock.version()
        if isinstance(server.connection.sock, ssl.SSLSocket)
        else None
    )
    signed_in = settings.EMAIL_HOST_USER and settings.EMAIL_HOST_PASSWORD
    return (f" with {version}" if version else "") + (
        f", signs {settings.EMAIL_HOST_USER} in" if signed_in else ""
    )


def _sender(server: EmailBackend) -> Iterator[CheckResult]:
    """Begin a mail, and take it back."""
    assert server.connection
    server.connection.ehlo_or_helo_if_needed()
    code, _ = server.connection.mail(_from())
    server.connection.rset()
    if code >= PERMANENT:
        yield error(
            f"{_place()} takes no mails from {_from()} (code {code})",
            "set ROLLBOOK_MAIL_FROM to an address it takes; it may also want a sign-in: ROLLBOOK_SMTP_USER",
        )
    elif code >= 400:
        yield warning(
            f"{_place()} takes no mails from {_from()} now (code {code})",
            "try again; else see its log",
        )


def _sent(to: str, server: BaseEmailBackend) -> CheckResult:
    body = "This mail was asked for with `rollbook doctor --mail-to`. Rollbook's mails reach you.\n"
    mail = EmailMessage("[Rollbook] Test of the mail settings", body, to=[to], connection=server)
    try:
        mail.send()
    except smtplib.SMTPRecipientsRefused as fault:
        code = next(iter(fault.recipients.values()))[0]
        return error(
            f"{_place()} takes no mail to {to} (code {code})",
            "see the address, and the server's log",
        )
    where = _place() if settings.EMAIL_HOST else f"a file in {settings.MAIL_FOLDER}"
    return ok(f"a mail to {to} went to {where}; see whether it arrives")


def _told(fault: BaseException) -> CheckResult:
    if isinstance(fault, smtplib.SMTPServerDisconnected) and isinstance(fault.__context__, OSError):
        fault = fault.__context__  # smtplib calls a server that keeps silent disconnected
    what, repair = next(
        (what, repair) for kind, what, repair in _REASONS if isinstance(fault, kind)
    )
    return error(f"{_place()} cannot be used: {what.format(fault=fault)}", repair)
