"""The database: whether it answers, is of a version that will do, is whole, and lets us do our work."""

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

INTEGRITY_CHECK_S = 10.0  # seconds to look through an SQLite file
LOCK_TIMEOUT_S = 5.0  # seconds to wait for a lock
MAX_SHOWN = 3


def check(here: Installation) -> Iterator[CheckResult]:
    """Whether it can be used, then whether it should be as it is."""
    lacking = (
        ""
        if connection.vendor == "postgresql"
        else here.missing_requirement(DATA.name) or here.missing_requirement("folder")
    )
    if lacking:
        yield skipped(f"not looked at, as {lacking}")
        return
    try:
        findings = list(_CHECKS[connection.vendor](here))
    except (Error, sqlite3.Error) as fault:
        told = diagnose(fault, connection.settings_dict)
        if told is None:
            raise
        findings = [error(told.what, told.repair)]
    yield from findings


def _of_postgresql(here: Installation) -> Iterator[CheckResult]:
    require_version(connection)
    here.database = True
    yield from postgresql.results(describe_location(connection.settings_dict))


def _of_sqlite(here: Installation) -> Iterator[CheckResult]:
    path = Path(connection.settings_dict["NAME"])
    if not path.exists():
        yield _no_file(here, path)
        return
    with closing(
        sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=LOCK_TIMEOUT_S)
    ) as reading:
        (mode,) = reading.execute("PRAGMA journal_mode").fetchone()
        found, is_whole = _looked_through(reading)
    if mode != "wal":
        yield error(
            f"{path} has the journal mode {mode}, so that reading and writing hold each other up",
            "start the server; if it stays so, the file system shares no memory: put the data folder on a local disk",
        )
    if found:
        yield error(
            f"{path} is damaged: {'; '.join(found[:MAX_SHOWN])}",
            "stop the server, keep a copy of the data folder, and put your last backup in its place",
        )
        return
    _write_nothing()
    here.database = True
    if mode == "wal":
        looked = (
            "nothing is wrong in it"
            if is_whole
            else f"nothing was wrong in what {INTEGRITY_CHECK_S:.0f} s were enough for"
        )
        yield ok(f"{path}, {size(path.stat().st_size)}, SQLite {sqlite3.sqlite_version}: {looked}")


def _no_file(here: Installation, path: Path) -> CheckResult:
    if any((here.data / "spool").glob("*")) or (here.data / "keys" / "student-passwords").exists():
        return error(
            f"there is no {path}, though this data folder has been in use",
            "bring it back from your backup, with the keys and the spool that belong to it",
        )
    return warning(f"there is no {path} yet", "begin with `rollbook district add`")


def _looked_through(reading: sqlite3.Connection) -> tuple[list[str], bool]:
    """What is wrong in the file, and whether there was time for all of it."""
    deadline = time.monotonic() + INTEGRITY_CHECK_S
    reading.set_progress_handler(lambda: time.monotonic() > deadline, 10_000)
    try:
        found = [str(row[0]) for row in reading.execute(f"PRAGMA quick_check({MAX_SHOWN})")]
    except sqlite3.OperationalError as fault:
        if fault.sqlite_errorname != "SQLITE_INTERRUPT":
            raise
        return [], False
    return [line.replace("\n", " ") for line in found if line != "ok"], True


def _write_nothing() -> None:
    """An empty transaction: the right to write, and the locks."""
    require_version(connection)
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA busy_timeout = {LOCK_TIMEOUT_S * 1000:.0f}")
    with transaction.atomic():
        pass


_CHECKS = {"sqlite": _of_sqlite, "postgresql": _of_postgresql}
