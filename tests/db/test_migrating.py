"""How migrations are applied: retries, failures and the lock. tests/endtoend has real ones."""

import time

import pytest
from django.db import IntegrityError, OperationalError, connection

from rollbook.db import migrating, schema_version
from rollbook.db.migrating import MigrationFailed, migrate_if_needed, migration_lock

pytestmark = pytest.mark.django_db

NAMES = ["students.0008_a", "updates.0009_b"]


class LockNotAvailable(Exception):
    """What psycopg raises if a lock can't be had in time."""

    sqlstate = "55P03"


def locked() -> OperationalError:
    error = OperationalError("canceling statement due to lock timeout")
    error.__cause__ = LockNotAvailable()
    return error


class Migrations:
    """Two pending migrations, of which ``errors`` lists what the next attempts raise."""

    def __init__(self) -> None:
        self.errors: list[Exception | None] = []
        self.attempts: list[str] = []
        self.applied: list[str] = []
        self.pauses: list[float] = []

    def apply(self, name: str) -> None:
        self.attempts.append(name)
        error = self.errors.pop(0) if self.errors else None
        if error:
            raise error


@pytest.fixture
def pending(monkeypatch: pytest.MonkeyPatch) -> Migrations:
    migrations = Migrations()
    monkeypatch.setattr(schema_version, "pending_migrations", lambda: NAMES)
    monkeypatch.setattr(migrating, "_migrate_to", migrations.apply)
    monkeypatch.setattr(time, "sleep", migrations.pauses.append)
    return migrations


def test_a_database_of_this_version_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrating, "_migrate", None)
    migrate_if_needed()


def test_each_migration_is_applied_once_in_order_and_reported(pending: Migrations) -> None:
    migrate_if_needed(pending.applied.append)
    assert (pending.attempts, pending.applied, pending.pauses) == (NAMES, NAMES, [])


def test_a_locked_table_is_tried_again_after_longer_and_longer_pauses(pending: Migrations) -> None:
    pending.errors = [locked(), locked(), locked()]
    migrate_if_needed(pending.applied.append)
    assert pending.attempts == [NAMES[0]] * 4 + [NAMES[1]]
    assert (pending.applied, pending.pauses) == (NAMES, [1.0, 2.0, 4.0])


@pytest.mark.only_on("postgresql")
def test_a_table_that_stays_locked_is_an_error_that_says_what_to_do(pending: Migrations) -> None:
    pending.errors = [locked() for _ in range(migrating.MAX_ATTEMPTS)]
    with pytest.raises(MigrationFailed) as caught:
        migrate_if_needed(pending.applied.append)
    text = str(caught.value)
    assert text.startswith("students.0008_a could not lock a table in 8 attempts; ")
    assert text.endswith(", and run `rollbook migrate` again")
    assert pending.pauses == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    assert (pending.attempts, pending.applied) == ([NAMES[0]] * 8, [])


def test_a_failure_names_the_migration_and_never_a_row(
    pending: Migrations, caplog: pytest.LogCaptureFixture
) -> None:
    pending.errors = [None, IntegrityError("Ana Brook")]
    with pytest.raises(MigrationFailed) as caught:
        migrate_if_needed(pending.applied.append)
    text = str(caught.value)
    assert text.startswith("updates.0009_b failed (IntegrityError); ")
    kept = {"sqlite": "nothing was changed", "postgresql": "the migrations before it are kept"}
    assert kept[connection.vendor] in text
    assert pending.applied == {"sqlite": [], "postgresql": NAMES[:1]}[connection.vendor]
    assert "Ana Brook" not in text + caplog.messages[-1]


def test_a_known_database_error_is_diagnosed(pending: Migrations) -> None:
    pending.errors = [OperationalError("database or disk is full")]
    with pytest.raises(MigrationFailed, match=r"full.*free space.*run `rollbook migrate` again"):
        migrate_if_needed()


def test_the_lock_can_be_taken_again_after_it_was_released() -> None:
    for _ in range(2):
        with migration_lock():
            pass
