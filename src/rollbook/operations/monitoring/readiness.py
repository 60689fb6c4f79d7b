"""Whether this process can take requests: database, schema, keys, spool folder and disk.

Whether a worker is running is no part of it: uploads are accepted without one.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import Error, connection
from django.db.migrations.recorder import MigrationRecorder

from rollbook.accounts import key_fingerprints
from rollbook.accounts.key_fingerprints import KeysDoNotMatch
from rollbook.db import schema_version
from rollbook.db.schema_version import DatabaseIsNewer, DatabaseIsOlder
from rollbook.log_format import event_fields
from rollbook.operations.monitoring import write_probes
from rollbook.operations.monitoring.cached import Cached, StillComputing
from rollbook.operations.monitoring.write_probes import DiskFull

log = logging.getLogger(__name__)

MAX_AGE_S = 2.0
OF_DATABASE = ("database", "schema", "database_write", "keys")
"""The checks of the database, in this order; after one that fails there are no others."""
CHECKS = (*OF_DATABASE, "spool", "disk")


@dataclass(frozen=True)
class HealthProblem:
    """A problem, described so that anyone may read it.

    Attributes:
        code: One of ``PROBLEMS``.
        detail: What is wrong, in a few words.
    """

    code: str
    detail: str


PROBLEMS = {
    "database": "the database is not responding; see the server log",
    "database_write": "the database cannot be written; see the server log",
    "schema": "the database and this server are of different versions; see the server log",
    "keys": "the keys are missing, unreadable or not those of the database; see the server log",
    "spool": "uploaded files cannot be stored; see the server log",
    "disk": "the disk is full",
    "slow": "the checks take too long; see the server log",
}
"""Code to text: everything that a stranger may know."""


def find_problems() -> list[HealthProblem]:
    """Return the problems of this process, which are checked at most every ``MAX_AGE_S``."""
    try:
        codes = _codes.get()
    except StillComputing:
        codes = ("slow",)
    return [HealthProblem(code, PROBLEMS[code]) for code in codes]


def succeeded(failed: set[str]) -> set[str]:
    """Return the checks that have succeeded, if those with these codes have failed."""
    if "slow" in failed:
        return set()
    not_reached: set[str] = set()
    for code in failed.intersection(OF_DATABASE):
        not_reached.update(OF_DATABASE[OF_DATABASE.index(code) :])
    return set(CHECKS) - failed - not_reached


def _check() -> tuple[str, ...]:
    """Check everything, and log what has changed since the last time."""
    found = dict((*_of_database(), *_of_folders()))
    global _logged
    for code in found.keys() - _logged:
        log.error("not ready: %s", code, exc_info=found[code], extra=event_fields(problem=code))
    for code in _logged - found.keys():
        log.warning("ready again: %s", code, extra=event_fields(solved=code))
    _logged = frozenset(found)
    return tuple(found)


_codes = Cached(_check, MAX_AGE_S)
_logged: frozenset[str] = frozenset()


def clear() -> None:
    """Forget the results of the last checks."""
    global _logged, _current_migrations
    _codes.clear()
    _logged, _current_migrations = frozenset(), frozenset()


def _of_database() -> Iterator[tuple[str, Exception]]:
    """Yield the first problem of the database, or of what must match it."""
    code = "database"
    try:
        _require_schema()
        code = "database_write"
        write_probes.write_to_database()
        code = "keys"
        key_fingerprints.require_matching_keys()
    except (DatabaseIsNewer, DatabaseIsOlder) as error:
        yield "schema", error
    except (KeysDoNotMatch, Error, OSError) as error:  # SQLite needs files beside the database
        yield code, error


_current_migrations: frozenset[object] = frozenset()
"""The applied migrations for which this version was found to be the right one."""


def _require_schema() -> None:
    """Check that the database is of this version; loading all migrations takes much longer.

    Raises:
        DatabaseIsNewer: It is of a newer version.
        DatabaseIsOlder: It is of an older version.
    """
    global _current_migrations
    applied = frozenset(MigrationRecorder(connection).applied_migrations())
    if not applied or applied != _current_migrations:
        schema_version.require_current()
        _current_migrations = applied


def _of_folders() -> Iterator[tuple[str, Exception]]:
    """Yield the problems of the spool folder, or the folder in which it will be created."""
    spool: Path = settings.SPOOL
    folder = spool if spool.exists() else settings.DATA
    try:
        write_probes.require_free_space(folder)
        write_probes.write_to_folder(folder)
    except DiskFull as error:
        yield "disk", error
    except OSError as error:
        yield "spool", error
