"""Web servers and workers with a role that isn't the owner of the tables, on a real PostgreSQL."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tests.faults.folder import HEADER, row
from tests.installations import environment
from tests.patience import TIMEOUT_S
from tests.postgres import binaries
from tests.postgres.server import OWNER, SUPERUSER, Server, running_server
from tests.prepared import Done, prepared

pytestmark = pytest.mark.without_database

ROLE = "rollbook_run"
STUDENTS = 30

REMOVE_EXPIRED = """
import django; django.setup()
from django.utils import timezone
from rollbook.accounts.audit import retention, seals
from rollbook.accounts.audit.retention import YEAR
later = timezone.now() + 9 * YEAR
while seals.seal_pending(timezone.now()): pass
removed = 0
while count := retention.remove_expired(later): removed += count
assert removed, "nothing expired"
assert seals.verify().broken == (), seals.verify()
"""


@dataclass
class Installation:
    """A data folder and a database with two roles."""

    data: Path
    server: Server
    database: str

    @property
    def variables(self) -> dict[str, str]:
        found = environment(self.data, DATABASE_URL=self.server.url(self.database, user=ROLE))
        found["PATH"] = f"{binaries.find()}{os.pathsep}{found['PATH']}"
        return found | {"DJANGO_SETTINGS_MODULE": "rollbook.settings"}

    def owner_url(self) -> str:
        return self.server.url(self.database)

    def rollbook(self, *words: object, code: int = 0, **more: str) -> Done:
        done = prepared().run("rollbook", *map(str, words), environment=self.variables | more)
        assert done.code == code, f"{done.out}\n{done.err}"
        return done

    def migrate(self) -> Done:
        return self.rollbook("migrate", ROLLBOOK_MIGRATE_DATABASE_URL=self.owner_url())

    def execute(self, statement: str, user: str = ROLE) -> list[tuple[object, ...]]:
        url = self.server.url(self.database, user=user)
        with psycopg.connect(url, autocommit=True) as connection:
            cursor = connection.execute(statement)
            return list(cursor.fetchall()) if cursor.description else []


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server() as server:
        statement = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
        with psycopg.connect(server.url(user=SUPERUSER), autocommit=True) as connection:
            connection.execute(statement.format(sql.Identifier(ROLE), server.password))
        yield server


@pytest.fixture(scope="module")
def installation(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """Return a migrated one with a district and its students."""
    server.create_database("first")
    installation = Installation(tmp_path_factory.mktemp("first"), server, "first")
    installation.migrate()
    installation.rollbook("district", "add", "Maple USD")
    schools = installation.data / "schools.csv"
    schools.write_text("SCHOOL_ID,NAME\n100,Maple High\n", encoding="utf-8")
    installation.rollbook("school", "load", "maple-usd", schools)
    return installation


def wait_for(installation: Installation, query: str) -> None:
    """Wait until the query has a result."""
    deadline = time.monotonic() + TIMEOUT_S
    while not installation.execute(query):
        assert time.monotonic() < deadline, query
        time.sleep(0.05)


def students(count: int) -> str:
    return HEADER + "".join(row(number) for number in range(count))


@pytest.mark.statement("S45", "S56")
@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE students_student CASCADE",
        "ALTER TABLE students_student ADD COLUMN x int",
        "ALTER TABLE accounts_auditevent DISABLE TRIGGER ALL",
        "TRUNCATE students_student CASCADE",
        "TRUNCATE accounts_auditevent",
        "CREATE TABLE anything (id int)",
        "CREATE OR REPLACE FUNCTION audit_sealed_delete() RETURNS trigger LANGUAGE plpgsql"
        " AS $$ BEGIN RETURN OLD; END $$",
        "UPDATE accounts_auditevent SET detail = 'nothing'",
        "UPDATE accounts_auditevent SET seal_id = NULL WHERE seal_id IS NOT NULL",
        "DELETE FROM accounts_auditevent WHERE seal_id IS NOT NULL",
        "UPDATE accounts_auditseal SET digest = 'nothing'",
        "DELETE FROM accounts_auditseal",
        "DELETE FROM django_migrations",
        "SET session_replication_role = replica",
        "GRANT rollbook TO rollbook_run",
    ],
)
def test_the_running_role_can_do_no_harm_to_tables_and_the_audit_log(
    installation: Installation, statement: str
) -> None:
    sealed = "SELECT count(*) FROM accounts_auditevent WHERE seal_id IS NOT NULL"
    if installation.execute(sealed) == [(0,)]:
        python(installation, SEAL)
    refusals = (psycopg.errors.InsufficientPrivilege, psycopg.errors.RestrictViolation)
    with pytest.raises(refusals):
        installation.execute(statement)
    assert installation.execute(sealed) != [(0,)]


SEAL = """
import django; django.setup()
from django.utils import timezone
from rollbook.accounts.audit import seals
assert seals.seal_pending(timezone.now())
"""


def python(installation: Installation, program: str) -> None:
    """Run a program with the running role."""
    file = installation.data / "program.py"
    file.write_text(program, encoding="utf-8")
    words = ("tests.endtoend.running", str(file))
    done = prepared().run(*words, environment=installation.variables)
    assert done.code == 0, done.err


@pytest.mark.statement("S56")
def test_everything_works_with_the_running_role(
    installation: Installation, server: Server, tmp_path: Path
) -> None:
    file = tmp_path / "students.csv"
    file.write_text(students(STUDENTS), encoding="utf-8")
    worker = prepared().start("rollbook", "worker", environment=installation.variables)
    try:
        wait_for(installation, "SELECT 1 FROM procrastinate_workers")
        installation.rollbook("student", "load", "maple-usd", file)
    finally:
        worker.terminate()
    assert installation.execute("SELECT count(*) FROM students_student") == [(STUDENTS,)]
    analyzed = "SELECT reltuples FROM pg_class WHERE relname = 'students_student'"
    python(installation, ANALYZE)
    assert installation.execute(analyzed) == [(float(STUDENTS),)]
    doctor = installation.rollbook("doctor", code=1).out
    assert f"{ROLE} can't change tables nor the audit log; they belong to {OWNER}" in doctor

    backup = tmp_path / "backup.tar"
    installation.rollbook("backup", backup, "--with-keys")
    server.create_database("second")
    restored = Installation(tmp_path / "restored", server, "second")
    restored.rollbook("restore", backup, ROLLBOOK_MIGRATE_DATABASE_URL=restored.owner_url())
    assert restored.execute("SELECT count(*) FROM students_student") == [(STUDENTS,)]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        restored.execute("TRUNCATE students_student CASCADE")

    python(installation, REMOVE_EXPIRED)
    installation.rollbook("district", "suspend", "maple-usd", "--reason", "it leaves")
    installation.rollbook("district", "export", "maple-usd", tmp_path / "export.zip")
    installation.rollbook("district", "delete", "maple-usd", "--name", "Maple USD")
    assert installation.execute("SELECT count(*) FROM students_student") == [(0,)]
    installation.rollbook("audit", "check")


ANALYZE = """
import django; django.setup()
from rollbook.db.planner_stats import analyze
analyze("students_student")
"""


@pytest.mark.statement("S56")
def test_what_is_missing_is_said_with_its_fix(server: Server, tmp_path: Path) -> None:
    server.create_database("third")
    installation = Installation(tmp_path / "third", server, "third")
    error = installation.rollbook("district", "add", "Maple USD", code=1).err
    assert "ROLLBOOK_MIGRATE_DATABASE_URL" in error
    installation.migrate()
    installation.execute(f"REVOKE ALL ON students_student FROM {ROLE}", user=OWNER)
    installation.rollbook("district", "add", "Maple USD")
    doctor = installation.rollbook("doctor", code=1).out
    assert f"{ROLE} has no permission to use some of the tables" in doctor
    installation.migrate()
    assert installation.execute("SELECT count(*) FROM students_student") == [(0,)]
