"""Migrate the database to this version.

1. One process migrates at a time, and makes its plan when the others have ended.
2. On SQLite, all migrations are one transaction: all of them are applied, or none.
3. On PostgreSQL, each migration is a transaction of its own, which waits only briefly for locks, so
   that nobody has to wait long behind it. If it can't get them, it's tried again later.
"""

import fcntl
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from django.core.management import call_command
from django.db import Error, connection, transaction
from django.db.migrations.recorder import MigrationRecorder

from rollbook.db import schema_version, triggers
from rollbook.db.diagnosis import diagnose
from rollbook.db.transient_errors import sqlstate_of

LOCK_TIMEOUT_S = 3.0  # how long others may have to wait behind a migration that waits for a lock
MAX_ATTEMPTS = 8
MAX_BACKOFF_S = 30.0
POLL_INTERVAL_S = 0.25

_LOCK_ID = 0x524F4C4C  # of the advisory lock; any number that all processes use
_LOCK_FILE = "migrate.lock"
_LOCKED_OR_DEADLOCK = ("55P03", "40P01")
_OLDEST_TRANSACTION = """
SELECT pid, application_name, extract(epoch FROM now() - xact_start)::int FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL
ORDER BY xact_start LIMIT 1"""

log = logging.getLogger(__name__)


class MigrationFailed(Exception):
    """A migration could not be applied; the text says which, why and what to do."""


def _ignore(name: str) -> None:
    """Do nothing."""


@contextmanager
def migration_lock() -> Iterator[None]:
    """Wait until no other process migrates the database, and keep others from doing so.

    The lock ends with this process, or with its connection to PostgreSQL.
    """
    if connection.vendor == "postgresql":
        with _advisory_lock():
            yield
    else:
        with _file_lock(Path(connection.settings_dict["NAME"]).with_name(_LOCK_FILE)):
            yield


def migrate_if_needed(report: Callable[[str], None] = _ignore) -> None:
    """Migrate the database to this version if it's older. The caller holds the migration lock.

    Args:
        report: Is called with the name of each migration that has been applied.

    Raises:
        DatabaseIsNewer: A newer version of Rollbook has changed the database.
        MigrationFailed: A migration could not be applied.
    """
    schema_version.require_not_newer()
    pending = schema_version.pending_migrations()
    if not pending and not triggers.missing_triggers(connection):
        return
    if connection.vendor == "postgresql":
        with _short_lock_timeout():
            _migrate(pending, report)
        return
    # Without checks from the beginning, the migrations can share one transaction.
    with connection.constraint_checks_disabled(), transaction.atomic():
        _migrate(pending, _ignore)
    for name in pending:
        report(name)


def _migrate(pending: list[str], report: Callable[[str], None]) -> None:
    if MigrationRecorder(connection).applied_migrations():
        for name in pending:
            _apply(name, partial(_migrate_to, name))
            report(name)
    else:
        _apply("the creation of the tables", _create_tables)
        for name in pending:
            report(name)
    _apply("the creation of the triggers", _install_triggers)


def _create_tables() -> None:
    """Apply all migrations at once, which takes a fraction of the time; nobody waits for them."""
    call_command("migrate", verbosity=0, interactive=False)


def _migrate_to(name: str) -> None:
    app, _, migration = name.partition(".")
    if (app, migration) not in MigrationRecorder(connection).applied_migrations():
        call_command("migrate", app, migration, verbosity=0, interactive=False)


def _install_triggers() -> None:
    """Install all triggers; their definitions may have changed without a migration."""
    triggers.install_triggers(connection.alias, plan=True)


def _apply(name: str, step: Callable[[], None]) -> None:
    """Run one step; if a table is locked, try again later, for about two minutes.

    Raises:
        MigrationFailed: The step failed, or the table was locked each time.
    """
    for attempt in range(1, MAX_ATTEMPTS + 1):
        try:
            step()
        except Exception as error:
            if sqlstate_of(error) not in _LOCKED_OR_DEADLOCK:
                raise _failure(name, error) from error
            if attempt == MAX_ATTEMPTS:
                raise _blocked(name) from error
            pause = min(2.0 ** (attempt - 1), MAX_BACKOFF_S)
            log.warning("%s must wait for a locked table; next try in %.0f s", name, pause)
            time.sleep(pause)
        else:
            return


def _failure(name: str, error: Exception) -> MigrationFailed:
    kept = "nothing was changed"
    if connection.vendor == "postgresql":
        kept = "it was rolled back, and the migrations before it are kept"
    diagnosis = diagnose(error, connection.settings_dict)
    if diagnosis:
        return MigrationFailed(
            f"{name} failed: {diagnosis.problem}; {kept}; {diagnosis.fix}, and run "
            "`rollbook migrate` again"
        )
    # The text of the error isn't shown, because it may quote a row.
    log.error("%s failed", name, exc_info=error)
    code = sqlstate_of(error) if isinstance(error, Error) else ""
    cause = f"{type(error).__name__} {code}".strip()
    return MigrationFailed(
        f"{name} failed ({cause}); {kept}; report the line above, and continue with the version "
        "that you had"
    )


def _blocked(name: str) -> MigrationFailed:
    with connection.cursor() as cursor:
        cursor.execute(_OLDEST_TRANSACTION)
        oldest = cursor.fetchone()
    blocker = "another program may have locked it"
    if oldest:
        pid, program, seconds = oldest
        blocker = (
            f"the oldest open transaction is that of process {pid} ({program or 'unnamed'}), open "
            f"for {seconds} s: wait for its end, or run `SELECT pg_terminate_backend({pid})`"
        )
    return MigrationFailed(
        f"{name} could not lock a table in {MAX_ATTEMPTS} attempts; the migrations before it are "
        f"kept; {blocker}, and run `rollbook migrate` again"
    )


@contextmanager
def _short_lock_timeout() -> Iterator[None]:
    """Limit the time a statement waits for a lock, and not the time that it takes."""
    timeouts = {
        "lock_timeout": f"{LOCK_TIMEOUT_S * 1000:.0f}ms",
        "statement_timeout": "0",
        "idle_in_transaction_session_timeout": "0",
    }
    with connection.cursor() as cursor:
        for name, value in timeouts.items():
            cursor.execute(f"SET {name} = '{value}'")
    try:
        yield
    finally:
        if connection.is_usable():
            with connection.cursor() as cursor:
                for name in timeouts:
                    cursor.execute(f"RESET {name}")


@contextmanager
def _advisory_lock() -> Iterator[None]:
    def try_to_lock() -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK_ID])
            return bool(cursor.fetchone()[0])

    _wait_for(try_to_lock)
    try:
        yield
    finally:
        if connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK_ID])


@contextmanager
def _file_lock(path: Path) -> Iterator[None]:
    def try_to_lock() -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _wait_for(try_to_lock)
        yield
    finally:
        os.close(file)  # which releases the lock


def _wait_for(try_to_lock: Callable[[], bool]) -> None:
    if try_to_lock():
        return
    log.info("another process is migrating the database; waiting until it has ended")
    while not try_to_lock():
        time.sleep(POLL_INTERVAL_S)
