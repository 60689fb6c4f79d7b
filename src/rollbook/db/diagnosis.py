"""Diagnose why a database can't be used, from the error of the driver, the library or the server.

For a refused connection, the server sends nothing but a text, so the text is matched. If it isn't
in English, it is quoted. A diagnosis never contains the password, nor a part of a password that
is not URL-encoded.
"""

import getpass
import re
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import (
    DatabaseError,
    DataError,
    Error,
    IntegrityError,
    InterfaceError,
    NotSupportedError,
    OperationalError,
)
from django.db.backends.base.base import BaseDatabaseWrapper

from rollbook.db.diagnosis_rules import DIAGNOSIS_RULES, OTHER_ERROR, DiagnosisRule

MIN_SQLITE_VERSION = (3, 39)

# Exactly these classes: the database is locked, full or gone, or the file is not a database. Their
# other subclasses indicate bugs.
_DATABASE_ERRORS = (OperationalError, InterfaceError, DatabaseError)
_NEUTRAL_NAMES = {
    "at": "the PostgreSQL of DATABASE_URL",
    "where": "there",
    **dict.fromkeys(("host", "user", "database"), "in DATABASE_URL"),
}
_REASON_PREFIX = re.compile(r".*(?:failed|is bad|FATAL|ERROR): +", re.DOTALL)


@dataclass(frozen=True)
class Diagnosis:
    """Why the database can't be used.

    Attributes:
        code: The code of the rule.
        what: What is wrong, without a period.
        repair: How to fix it, without a period.
    """

    code: str
    problem: str
    fix: str

    def __str__(self) -> str:
        return f"{self.problem}; {self.fix}"


def diagnose(error: BaseException, settings: Mapping[str, Any]) -> Diagnosis | None:
    """Diagnose an error.

    Args:
        error: The error, of any kind.
        settings: The Django settings of the database.

    Returns:
        The diagnosis, or None if the database isn't the cause.
    """
    if isinstance(error, IntegrityError | DataError):  # concerns a row, and the text may quote it
        return None
    causes = list(filter(_is_database_error, _causes(error)))
    for rule in DIAGNOSIS_RULES:
        for cause in causes:
            placeholders = _match(rule, cause)
            if placeholders is not None:
                return _render(rule, settings, placeholders)
    if causes and type(error) in _DATABASE_ERRORS:
        return _render(OTHER_ERROR, settings, {"reason": _reason(causes[-1], settings)})
    return None


def require_version(connection: BaseDatabaseWrapper) -> None:
    """Check the version of the database server or library.

    Raises:
        NotSupportedError: It's older than Rollbook requires.
    """
    connection.ensure_connection()  # Django checks the version of PostgreSQL here
    if connection.vendor == "sqlite" and sqlite3.sqlite_version_info < MIN_SQLITE_VERSION:
        required = ".".join(map(str, MIN_SQLITE_VERSION))
        raise NotSupportedError(
            f"SQLite {required} or later is required (found {sqlite3.sqlite_version})."
        )


def describe_location(settings: Mapping[str, Any]) -> str:
    """Return where the database is: ``PostgreSQL at db.example:5432``, or the file of SQLite."""
    return _names(settings)["at"]


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and the errors that caused it."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__  # Django's migrations don't set __cause__


def _is_database_error(error: BaseException) -> bool:
    return isinstance(error, Error | sqlite3.Error) or hasattr(error, "sqlstate")


def _match(rule: DiagnosisRule, cause: BaseException) -> dict[str, str] | None:
    """Return the named groups of the rule's pattern, or None if the error doesn't match."""
    name = getattr(cause, "sqlstate", None) or getattr(cause, "sqlite_errorname", None) or "-"
    match = re.search(rule.pattern, f"{name} {cause}")
    return match.groupdict() if match else None


def _render(
    rule: DiagnosisRule, settings: Mapping[str, Any], placeholders: dict[str, str]
) -> Diagnosis:
    names = _names(settings) | placeholders
    return Diagnosis(rule.code, rule.problem.format_map(names), rule.fix.format_map(names))


def _names(settings: Mapping[str, Any]) -> dict[str, str]:
    """Return the values of the placeholders that any rule may contain."""
    host, port, name, user = (
        str(settings.get(part) or "") for part in ("HOST", "PORT", "NAME", "USER")
    )
    if not settings["ENGINE"].endswith("postgresql"):
        return _NEUTRAL_NAMES | {"at": name}
    user = user or getpass.getuser()  # the default of libpq
    if "@" in host + name or not re.fullmatch(r"[\d,]*", port):
        # The URL was split at the wrong places, so these may be parts of the password.
        return _NEUTRAL_NAMES | {"user": user}
    where = _where(host, port)
    at = f"PostgreSQL {where}" if host else "PostgreSQL on this machine"
    return {"at": at, "where": where, "host": host, "user": user, "database": name or user}


def _where(host: str, port: str) -> str:
    if not host:
        return "there"
    if host.startswith("/"):
        return f"at the socket in {host}"
    return f"at [{host}]:{port or 5432}" if ":" in host else f"at {host}:{port or 5432}"


def _reason(error: BaseException, settings: Mapping[str, Any]) -> str:
    """Return the last reason in the error's text, on one line, without the password."""
    text = _REASON_PREFIX.sub("", str(error)).partition("\n")[0].strip()
    password = str(settings.get("PASSWORD") or "")
    if password:
        text = text.replace(password, "...")
    return text or type(error).__name__
