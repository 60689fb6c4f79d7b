"""Whether a process is ready is found out by writing, on both databases and on the real disk."""

import errno
import logging
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from rollbook.accounts import key_fingerprints
from rollbook.accounts.models import KeyFingerprint
from rollbook.log_format import LineFormatter
from rollbook.operations.models import WriteProbe
from rollbook.operations.monitoring import readiness, write_probes

pytestmark = pytest.mark.django_db


def codes() -> list[str]:
    """Return the problems that are found now."""
    readiness._codes.clear()
    return [problem.code for problem in readiness.find_problems()]


@contextmanager
def read_only() -> Iterator[None]:
    """Let the database refuse every write of this connection, as a standby does."""
    on, off = {
        "sqlite": ("PRAGMA query_only = 1", "PRAGMA query_only = 0"),
        # A transaction that is read-only can't become writable again: it is rolled back to before.
        "postgresql": ("SAVEPOINT writable; SET TRANSACTION READ ONLY", "ROLLBACK TO writable"),
    }[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(on)
        yield
        cursor.execute(off)


@contextmanager
def no_more_bytes() -> Iterator[None]:
    """Let the system refuse every write of this process to a file, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_healthy_process_is_ready_and_leaves_no_row_behind() -> None:
    assert codes() == []
    assert WriteProbe.objects.count() == 0


def test_a_read_only_database_is_not_ready() -> None:
    with read_only():
        assert codes() == ["database_write"]
    assert codes() == []


@pytest.mark.only_on("sqlite")
@pytest.mark.django_db(transaction=True)
def test_a_full_disk_is_not_ready() -> None:
    codes()  # the connection is open
    with no_more_bytes():
        assert codes() == ["database_write", "spool"]
    assert codes() == []


def test_a_disk_with_little_space_or_room_for_files_is_full(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_probes, "MIN_FREE_BYTES", 1 << 60)
    assert codes() == ["disk"]
    monkeypatch.setattr(write_probes, "MIN_FREE_BYTES", 0)
    monkeypatch.setattr(write_probes, "MIN_FREE_FILES", 1 << 60)
    has_limit = os.statvfs(settings.DATA).f_files > 0
    assert codes() == ["disk"] * has_limit


def test_a_spool_folder_that_is_a_file_or_cannot_be_created(
    settings: Settings, tmp_path: Path
) -> None:
    settings.SPOOL, settings.DATA = tmp_path / "spool", tmp_path
    assert codes() == []  # it is created with the first upload
    settings.SPOOL.touch()
    assert codes() == ["spool"]
    settings.SPOOL, settings.DATA = tmp_path / "nowhere" / "spool", tmp_path / "nowhere"
    assert codes() == ["spool"]


def test_a_disk_that_cannot_sync_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(file: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", fail)
    assert codes() == ["spool"]


@pytest.fixture
def keys(settings: Settings, tmp_path: Path) -> Path:
    """The keys of an installation, of which the database has the fingerprints."""
    settings.KEYS = tmp_path / "keys"
    key_fingerprints.verify_keys()
    assert codes() == []
    return tmp_path / "keys"


def test_a_missing_key_is_not_created(keys: Path) -> None:
    (keys / "session").unlink()
    assert codes() == ["keys"]
    assert not (keys / "session").exists()


def test_another_key_is_not_ready(keys: Path) -> None:
    (keys / "logins").write_bytes(bytes(32))
    assert codes() == ["keys"]


def test_a_key_that_cannot_be_read_is_not_ready(keys: Path) -> None:
    (keys / "logins").unlink()
    (keys / "logins").mkdir()
    assert codes() == ["keys"]


def test_checking_creates_no_key_and_no_fingerprint(settings: Settings, tmp_path: Path) -> None:
    settings.KEYS = tmp_path / "keys"
    assert codes() == []
    assert not settings.KEYS.exists()
    assert KeyFingerprint.objects.count() == 0


def test_a_database_of_another_version_is_not_ready() -> None:
    recorder = MigrationRecorder(connection)
    recorder.record_applied("updates", "9999_newer")
    assert codes() == ["schema"]
    recorder.record_unapplied("updates", "9999_newer")
    assert codes() == []
    last = max(name for app, name in recorder.applied_migrations() if app == "updates")
    recorder.record_unapplied("updates", last)
    assert codes() == ["schema"]


def test_the_migrations_are_loaded_once_and_compared_each_time() -> None:
    codes()
    with CaptureQueriesContext(connection) as queries:
        codes()
    assert len(queries) < 12


def test_each_change_is_logged_once_with_the_name_of_the_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with read_only():
        codes()
        codes()
    codes()
    lines = [LineFormatter().format(record) for record in caplog.records]
    assert len(lines) == 2
    name = {"sqlite": "SQLITE_READONLY", "postgresql": "25006"}[connection.vendor]
    assert (
        " ERROR rollbook.operations.monitoring.readiness: not ready: database_write [" in lines[0]
    )
    assert f"Error {name} at " in lines[0]
    assert (
        " WARNING rollbook.operations.monitoring.readiness: ready again: database_write" in lines[1]
    )
    assert caplog.records[0].levelno == logging.ERROR


def test_a_check_is_not_repeated_within_two_seconds() -> None:
    assert codes() == []
    with CaptureQueriesContext(connection) as queries:
        for _ in range(100):
            assert readiness.find_problems() == []
    assert len(queries) == 0


@pytest.mark.only_on("sqlite")
@pytest.mark.django_db(transaction=True)
def test_a_locked_database_is_not_waited_for_and_the_usual_timeout_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(write_probes, "LOCK_TIMEOUT_S", 0.1)
    codes()
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN IMMEDIATE")
            assert codes() == ["database_write"]
            cursor.execute("ROLLBACK")
    finally:
        other.close()
    assert codes() == []
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout")
        assert cursor.fetchone() == (30_000,)


def test_what_was_not_checked_has_not_succeeded() -> None:
    assert readiness.succeeded(set()) == set(readiness.CHECKS)
    assert readiness.succeeded({"slow"}) == set()
    assert readiness.succeeded({"schema", "disk"}) == {"database", "spool"}
    assert readiness.succeeded({"database"}) == {"spool", "disk"}
