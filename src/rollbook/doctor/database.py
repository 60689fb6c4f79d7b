"""Checks that the database is available, of a supported version, intact and writable."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from django.db import Error, connection, transaction

from rollbook.db.diagnosis import describe_location, diagnose, require_version
from rollbook.doctor import postgresql
from rollbook.doctor.disk import size
from rollbook.doctor.installation import Installation
from rollbook.doctor.result import CheckResult, error, ok, skipped, warning
from rollbook.environment import DATA
from rollbook.operations.models import WriteProbe
from rollbook.operations.monitoring.write_probes import write_to_database

INTEGRITY_CHECK_S = 10.0  # time limit of the integrity check of an SQLite file
LOCK_TIMEOUT_S = 5.0
MAX_SHOWN = 3


def check(installation: Installation) -> Iterator[CheckResult]:
    """Check whether the database can be used, then how it is configured."""
    missing = ""
    if connection.vendor == "sqlite":
        missing = installation.missing_requirement(DATA.name)
        missing = missing or installation.missing_requirement("folder")
    if missing:
        yield skipped(f"not checked, as {missing}")
        return
    try:
        findings = list(_CHECKS[connection.vendor](installation))
    except (Error, sqlite3.Error) as fault:
        diagnosis = diagnose(fault, connection.settings_dict)
        if diagnosis is None:
            raise
        findings = [error(diagnosis.problem, diagnosis.fix)]
    yield from findings


def _postgresql(installation: Installation) -> Iterator[CheckResult]:
    require_version(connection)
    installation.database = True
    results = list(postgresql.results(describe_location(connection.settings_dict)))
    yield from results
    if not any(result.what == postgresql.READ_ONLY for result in results):
        _write()


def _sqlite(installation: Installation) -> Iterator[CheckResult]:
    path = Path(connection.settings_dict["NAME"])
    if not path.exists():
        yield _no_file(installation, path)
        return
    url = f"file:{quote(str(path))}?mode=ro"
    with closing(sqlite3.connect(url, uri=True, timeout=LOCK_TIMEOUT_S)) as reading:
        (mode,) = reading.execute("PRAGMA journal_mode").fetchone()
        damages, is_complete = _check_integrity(reading)
    if mode != "wal":
        yield error(
            f"{path} has the journal mode {mode}, so reads and writes block each other",
            "start the server; if that doesn't change it, the file system doesn't support shared "
            "memory: move the data folder to a local disk",
        )
    if damages:
        yield error(
            f"{path} is damaged: {'; '.join(damages[:MAX_SHOWN])}",
            "stop the server, copy the data folder, and restore your last backup",
        )
        return
    require_version(connection)
    _write()
    installation.database = True
    if mode == "wal":
        intact = "no errors found"
        if not is_complete:
            intact += f" in the part checked within {INTEGRITY_CHECK_S:.0f} s"
        yield ok(f"{path}, {size(path.stat().st_size)}, SQLite {sqlite3.sqlite_version}: {intact}")


def _no_file(installation: Installation, path: Path) -> CheckResult:
    data = installation.data
    if any((data / "spool").glob("*")) or (data / "keys" / "student-passwords").exists():
        return error(
            f"there is no {path}, but this data folder has been in use",
            "restore it from your backup, with the folders `keys` and `spool` of the same backup",
        )
    return warning(f"there is no {path} yet", "add a district with `rollbook district add`")


def _check_integrity(reading: sqlite3.Connection) -> tuple[list[str], bool]:
    """Return the errors in the file, and whether all of it was checked in time."""
    deadline = time.monotonic() + INTEGRITY_CHECK_S
    reading.set_progress_handler(lambda: time.monotonic() > deadline, 10_000)
    try:
        rows = reading.execute(f"PRAGMA quick_check({MAX_SHOWN})")
        lines = [str(row[0]) for row in rows]
    except sqlite3.OperationalError as fault:
        if fault.sqlite_errorname != "SQLITE_INTERRUPT":
            raise
        return [], False
    return [line.replace("\n", " ") for line in lines if line != "ok"], True


def _write() -> None:
    """Commit a row and its removal; in a database without our tables, begin and end only.

    Raises:
        Error: The database cannot be written.
    """
    if WriteProbe._meta.db_table in connection.introspection.table_names():
        write_to_database()
    else:
        with transaction.atomic():
            pass


_CHECKS = {"sqlite": _sqlite, "postgresql": _postgresql}
