"""Why a database cannot be used, and what to do: from what driver, library or server said to a closed list of kinds.

A server says why it refused a connection in words alone, so these are matched; one that speaks another language than
English is quoted. What is told never holds the password, nor a piece of one that is not written as addresses want it.
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

# Locked, full, gone; and a file that is no database at all. Other descendants of theirs are mistakes of ours.
_DATABASE_ERRORS = (OperationalError, InterfaceError, DatabaseError)
_SQLITE_ERRORS_WITHOUT_NAME = {
    "at": "the PostgreSQL of DATABASE_URL",
    "where": "there",
    **dict.fromkeys(("host", "user", "database"), "in DATABASE_URL"),
}
_REASON_PREFIX = re.compile(r".*(?:failed|is bad|FATAL|ERROR): +", re.DOTALL)


@dataclass(frozen=True)
class Diagnosis:
    """One kind of problem with the names of this database; ``what`` happened, and what would ``repair`` it."""

    code: str
    what: str
    repair: str

    def __str__(self) -> str:
        return f"{self.what}; {self.repair}"


def diagnose(error: BaseException, settings: Mapping[str, Any]) -> Diagnosis | None:
    """What is wrong with the database, whose Django settings these are; None if it is not the database's fault."""
    if isinstance(error, IntegrityError | DataError):  # about a row, from which their texts quote
        return None
    told = [cause for cause in _causes(error) if _is_of_a_database(cause)]
    for kind in DIAGNOSIS_RULES:
        for cause in told:
            if (found := _match(kind, cause)) is not None:
                return _render(kind, settings, found)
    if told and type(error) in _DATABASE_ERRORS:
        return _render(OTHER_ERROR, settings, {"said": _reason(told[-1], settings)})
    return None


def require_version(connection: BaseDatabaseWrapper) -> None:
    """Raises NotSupportedError when the server, or the library, is older than Rollbook needs."""
    connection.ensure_connection()  # here Django looks at PostgreSQL's version
    if connection.vendor == "sqlite" and sqlite3.sqlite_version_info < MIN_SQLITE_VERSION:
        needed = ".".join(map(str, MIN_SQLITE_VERSION))
        raise NotSupportedError(
            f"SQLite {needed} or later is required (found {sqlite3.sqlite_version})."
        )


def describe_location(settings: Mapping[str, Any]) -> str:
    """Where the database is: ``PostgreSQL at db.example:5432``, or its file."""
    return _names(settings)["at"]


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, and those that it was made of."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = (
            cause.__cause__ or cause.__context__
        )  # Django's migrations leave the first one unsaid


def _is_of_a_database(error: BaseException) -> bool:
    return isinstance(error, Error | sqlite3.Error) or hasattr(error, "sqlstate")


def _match(kind: DiagnosisRule, cause: BaseException) -> dict[str, str] | None:
    """What the error says beyond its kind; None if it is of another kind."""
    name = getattr(cause, "sqlstate", None) or getattr(cause, "sqlite_errorname", None) or "-"
    found = re.search(kind.pattern, f"{name} {cause}")
    return found.groupdict() if found else None


def _render(kind: DiagnosisRule, settings: Mapping[str, Any], found: dict[str, str]) -> Diagnosis:
    names = _names(settings) | found
    return Diagnosis(kind.code, kind.what.format_map(names), kind.repair.format_map(names))


def _names(settings: Mapping[str, Any]) -> dict[str, str]:
    """What the words may name."""
    host, port, name, user = (
        str(settings.get(part) or "") for part in ("HOST", "PORT", "NAME", "USER")
    )
    if not settings["ENGINE"].endswith("postgresql"):
        return _SQLITE_ERRORS_WITHOUT_NAME | {"at": name}
    user = user or getpass.getuser()  # as PostgreSQL's client has it
    if "@" in host + name or not re.fullmatch(
        r"[\d,]*", port
    ):  # cut at the wrong places, these are of the password
        return _SQLITE_ERRORS_WITHOUT_NAME | {"user": user}
    where = _where(host, port)
    at = f"PostgreSQL {where}" if host else "the PostgreSQL of this machine"
    return {"at": at, "where": where, "host": host, "user": user, "database": name or user}


def _where(host: str, port: str) -> str:
    if not host:
        return "there"
    if host.startswith("/"):
        return f"at the socket in {host}"
    return f"at [{host}]:{port or 5432}" if ":" in host else f"at {host}:{port or 5432}"


def _reason(error: BaseException, settings: Mapping[str, Any]) -> str:
    """The last reason that the error's text gives, on one line, without the password."""
    text = _REASON_PREFIX.sub("", str(error)).partition("\n")[0].strip()
    password = str(settings.get("PASSWORD") or "")
    return (text.replace(password, "...") if password else text) or type(error).__name__
