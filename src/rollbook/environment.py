"""The settings that are read from environment variables: one table, which needs no Django.

``settings.py`` reads the values, ``rollbook doctor`` checks them, and ``make docs`` writes the
table into the README.
"""

import ipaddress
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rollbook.db.url import postgresql_settings
from rollbook.setting import Setting, choice, number
from rollbook.trusted_proxies import TrustedProxies

Networks = tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]

MIN_TOKEN_LENGTH = 16

# `rollbook serve` sets these for its own child processes; they are not settings.
LISTENER = "ROLLBOOK_LISTENER"  # file descriptor of the inherited socket that is already listening
LIFELINE = "ROLLBOOK_LIFELINE"  # file descriptor of the read end of the inherited pipe
PROGRESS = "ROLLBOOK_PROGRESS"  # file descriptor of the inherited pipe for a worker's progress
FROZEN_AFTER = "ROLLBOOK_FROZEN_AFTER"  # seconds after which tests let a worker be killed
INTERNAL_VARIABLES = frozenset({LISTENER, LIFELINE, PROGRESS, FROZEN_AFTER})


def _parse_folder(text: str) -> Path:
    return Path(text).absolute()


def _parse_url(text: str) -> str:
    return text.rstrip("/")


def _parse_flag(text: str) -> bool:
    return text == "1"


def _parse_mail_security(text: str) -> str:
    if text not in MAIL_SECURITY:  # a typo must not send results unencrypted
        raise ValueError(f"ROLLBOOK_SMTP_SECURITY is '{text}' and not starttls, tls or none")
    return text


def _parse_yes_or_no(text: str) -> bool:
    if text not in _YES_OR_NO:
        raise ValueError(f"'{text}' is not yes or no")
    return _YES_OR_NO[text]


def _check_yes_or_no(text: str) -> str | None:
    if text in _YES_OR_NO:
        return None
    return f"is {text!r}, which is not yes or no; use one of them"


def _check_count(text: str) -> str | None:
    if not re.fullmatch(r"\s*[0-9][0-9_]*\s*", text) or int(text) == 0:
        return f"is {text!r}, which is not a number above 0; use digits only, or remove it"
    return None


def _check_port(text: str) -> str | None:
    problem = _check_count(text)
    if problem is None and int(text) > 65535:
        return f"is {text}, which is not a port; use 1 to 65535"
    return problem


def _check_mail_security(text: str) -> str | None:
    if text in MAIL_SECURITY:
        return None
    return f"is {text!r}, which is not starttls, tls or none; use one of them"


def _check_url(text: str) -> str | None:
    example = "write it like https://rollbook.example"
    try:
        parts = urlsplit(text)
        host = parts.hostname if parts.port != 0 else None
    except ValueError:
        host = None
    if not host:
        return f"is {text!r}, which is not an address; {example}"
    if parts.scheme != "https":
        return (
            f"is {text!r}, but plain HTTP is refused, so links in emails wouldn't work; {example}"
        )
    return None


def _parse_proxies(text: str) -> TrustedProxies:
    try:
        return TrustedProxies.parse(text or "1")
    except ValueError as error:
        raise ValueError(f"ROLLBOOK_TRUSTED_PROXIES {error}") from None


def _check_proxies(text: str) -> str | None:
    try:
        TrustedProxies.parse(text)
    except ValueError as error:
        return str(error)
    return None


def _check_flag(text: str) -> str | None:
    if text in ("", "0", "1"):
        return None
    return f"is {text!r}, which is neither 1 nor 0; use 1 to turn it on"


def _check_metrics_token(text: str) -> str | None:
    if not text or (len(text) >= MIN_TOKEN_LENGTH and text.isascii() and text.isprintable()):
        return None
    return (
        f"is no token of at least {MIN_TOKEN_LENGTH} ASCII characters; "
        "create one with `openssl rand -hex 32`"
    )


def _parse_metrics_token(text: str) -> str:
    if problem := _check_metrics_token(text):  # a short one could be guessed
        raise ValueError(f"ROLLBOOK_METRICS_TOKEN {problem.partition('; ')[0]}")
    return text


def _parse_networks(text: str) -> Networks:
    words = filter(None, map(str.strip, text.split(",")))
    return tuple(ipaddress.ip_network(word) for word in words)


def _check_networks(text: str) -> str | None:
    try:
        _parse_networks(text)
    except ValueError as error:
        return f"has an entry that is no network ({error}); write it like 10.0.0.0/8, ::1"
    return None


def _parse_addresses(text: str) -> tuple[str, ...]:
    return tuple(filter(None, map(str.strip, text.split(","))))


def _check_addresses(text: str) -> str | None:
    for address in _parse_addresses(text):
        if not re.fullmatch(r"[^@\s]+@[^@\s]+", address):
            return f"contains {address!r}, which is not an email address; separate them by commas"
    return None


def _parse_contacts(text: str) -> tuple[str, ...]:
    """Return the contacts as URIs; an email address becomes a ``mailto:``."""
    return tuple(map(_parse_contact, _parse_addresses(text)))


def _parse_contact(text: str) -> str:
    uri = text if ":" in text else f"mailto:{text}"
    if not re.fullmatch(r"mailto:[^@\s:]+@[^@\s:]+|https://[^\s/]+(/\S*)?|tel:\+[\d-]+", uri):
        raise ValueError(f"{text!r} is not an email address, an https:// address or a tel: number")
    return uri


def _check_contacts(text: str) -> str | None:
    try:
        _parse_contacts(text)
    except ValueError as error:
        return f"has an entry that is no contact ({error}); write it like security@maple.example"
    return None


def _check_ping_url(text: str) -> str | None:
    parts = urlsplit(text)
    if parts.scheme != "https" or not parts.hostname:
        return "is not an address that begins with https://; copy it from your monitor"
    return None


def _check_hours(text: str) -> str | None:
    if not text.strip().isdecimal():
        return f"is {text!r}, which is not a number of hours; use digits only, or remove it"
    return None


def _check_database_url(text: str) -> str | None:
    try:
        postgresql_settings(text)
    except ValueError as error:
        problem = str(error).removeprefix("DATABASE_URL ")
        if "; " in problem:
            return problem
        return f"{problem}; write it like postgres://user:password@host:5432/database"
    return None


MAIL_SECURITY = ("starttls", "tls", "none")
_YES_OR_NO = {"yes": True, "no": False, "": False}

DATA = Setting("ROLLBOOK_DATA", "data", _parse_folder, "The data folder.")
DATABASE_URL = Setting(
    "DATABASE_URL",
    "",
    str,
    "The PostgreSQL database to use, `postgres://user:password@host:5432/database`. "
    "Without it, SQLite in the data folder.",
    _check_database_url,
    is_secret=True,
)
MIGRATE_DATABASE_URL = Setting(
    "ROLLBOOK_MIGRATE_DATABASE_URL",
    "",
    str,
    "The same database with the owner of its tables as the user, for `rollbook migrate` and "
    "`restore` only. Then `DATABASE_URL` can have a [lesser role](docs/postgresql.md).",
    _check_database_url,
    is_secret=True,
)
MIGRATE_AT_START = Setting(
    "ROLLBOOK_MIGRATE_AT_START",
    "no",
    _parse_yes_or_no,
    "`yes` if `rollbook serve`, `web` and `worker` may migrate a PostgreSQL database when they "
    "start. On SQLite they always do. See [upgrading](docs/upgrading.md).",
    _check_yes_or_no,
)
URL = Setting(
    "ROLLBOOK_URL",
    "https://localhost:8443",
    _parse_url,
    "The server's public address. Links in answers and emails begin with it, and requests must "
    "name its host or localhost.",
    _check_url,
)
BEHIND_PROXY = Setting(
    "ROLLBOOK_BEHIND_PROXY",
    "",
    _parse_flag,
    "`1` if a proxy terminates TLS; `rollbook serve --behind-proxy` sets it.",
    is_documented=False,
)
TRUSTED_PROXIES = Setting(
    "ROLLBOOK_TRUSTED_PROXIES",
    "1",
    _parse_proxies,
    "Behind reverse proxies: how many there are, or their networks, such as `10.0.0.0/8`. "
    "The client's address is the entry of `X-Forwarded-For` that the outermost of them added.",
    _check_proxies,
)
SMTP_HOST = Setting(
    "ROLLBOOK_SMTP_HOST",
    "",
    str,
    "The mail server. Without it, emails are saved as files in `mail/`.",
)
SMTP_PORT = number("ROLLBOOK_SMTP_PORT", 587, "The mail server's port.", _check_port)
SMTP_SECURITY = Setting(
    "ROLLBOOK_SMTP_SECURITY",
    "starttls",
    _parse_mail_security,
    "How the connection to the mail server is encrypted: `starttls`, `tls` or `none`.",
    _check_mail_security,
)
SMTP_USER = Setting(
    "ROLLBOOK_SMTP_USER", "", str, "The user name for the mail server, if it requires one."
)
SMTP_PASSWORD = Setting(
    "ROLLBOOK_SMTP_PASSWORD", "", str, "The password for the mail server.", is_secret=True
)
MAIL_FROM = Setting(
    "ROLLBOOK_MAIL_FROM", "Rollbook <rollbook@localhost>", str, "The sender of emails."
)
LOG_FORMAT = choice(
    "ROLLBOOK_LOG_FORMAT",
    {"text": "text", "json": "json"},
    "text",
    "The format of the log: `text` or `json`, see [monitoring](docs/monitoring.md).",
)
LOG_LEVEL = choice(
    "ROLLBOOK_LOG_LEVEL",
    {"debug": "DEBUG", "info": "INFO", "warning": "WARNING", "error": "ERROR"},
    "info",
    "The least important lines that are logged: `debug`, `info`, `warning` or `error`.",
)
LOG_CLIENT_ADDRESS = Setting(
    "ROLLBOOK_LOG_CLIENT_ADDRESS",
    "",
    _parse_flag,
    "`1` to log the client's IP address with each request.",
    _check_flag,
)
METRICS_TOKEN = Setting(
    "ROLLBOOK_METRICS_TOKEN",
    "",
    _parse_metrics_token,
    "The bearer token for `/metrics`, at least 16 characters. Without it and without networks, "
    "there are no metrics.",
    _check_metrics_token,
    is_secret=True,
)
METRICS_NETWORKS = Setting(
    "ROLLBOOK_METRICS_NETWORKS",
    "",
    _parse_networks,
    "The networks from which `/metrics` can be read, such as `10.0.0.0/8, ::1`. If there is a "
    "token too, both are required.",
    _check_networks,
)
METRICS_DISTRICT_NAMES = Setting(
    "ROLLBOOK_METRICS_DISTRICT_NAMES",
    "",
    _parse_flag,
    "`1` to name districts in metrics, instead of a hash.",
    _check_flag,
)
OPERATOR_EMAIL = Setting(
    "ROLLBOOK_OPERATOR_EMAIL",
    "",
    _parse_addresses,
    "Who is [alerted](docs/alerts.md) if something is wrong: email addresses, separated by commas.",
    _check_addresses,
)
SECURITY_CONTACT = Setting(
    "ROLLBOOK_SECURITY_CONTACT",
    "",
    _parse_contacts,
    "Where people report a vulnerability of this server: email addresses or `https://` addresses, "
    "separated by commas. `/.well-known/security.txt` names them; without it, there is no such "
    "file. See [reporting](SECURITY.md#securitytxt).",
    _check_contacts,
)
PING_URL = Setting(
    "ROLLBOOK_PING_URL",
    "",
    str,
    "The URL of a monitor that is requested regularly, with `/fail` if something is wrong.",
    _check_ping_url,
    is_secret=True,
)
PING_MINUTES = number(
    "ROLLBOOK_PING_MINUTES", 5, "How often that URL is requested, in minutes.", _check_count
)
BACKUP_MAX_AGE_HOURS = number(
    "ROLLBOOK_BACKUP_MAX_AGE_HOURS",
    48,
    "How old the last backup may be before you are alerted, in hours; `0` if you back up in "
    "another way.",
    _check_hours,
)
SENTRY_DSN = Setting(
    "SENTRY_DSN",
    "",
    str,
    "The project at Sentry that [errors in Rollbook](docs/alerts.md#errors-at-sentry) are reported "
    "to. It needs the package `rollbook[sentry]`.",
    is_secret=True,
)
MAX_ROWS = number(
    "ROLLBOOK_MAX_ROWS", 2_000_000, "The most rows a student file may have.", _check_count
)
MAX_UPLOAD_BYTES = number(
    "ROLLBOOK_MAX_UPLOAD_BYTES", 1 << 30, "The most bytes a student file may have.", _check_count
)

# In the README's order.
SETTINGS: tuple[Setting[Any], ...] = (
    DATA,
    DATABASE_URL,
    MIGRATE_DATABASE_URL,
    MIGRATE_AT_START,
    URL,
    BEHIND_PROXY,
    TRUSTED_PROXIES,
    SMTP_HOST,
    SMTP_PORT,
    SMTP_SECURITY,
    SMTP_USER,
    SMTP_PASSWORD,
    MAIL_FROM,
    LOG_FORMAT,
    LOG_LEVEL,
    LOG_CLIENT_ADDRESS,
    METRICS_TOKEN,
    METRICS_NETWORKS,
    METRICS_DISTRICT_NAMES,
    OPERATOR_EMAIL,
    SECURITY_CONTACT,
    PING_URL,
    PING_MINUTES,
    BACKUP_MAX_AGE_HOURS,
    SENTRY_DSN,
    MAX_ROWS,
    MAX_UPLOAD_BYTES,
)
BY_NAME = {setting.name: setting for setting in SETTINGS}
