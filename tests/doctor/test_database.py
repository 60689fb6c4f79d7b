"""Databases of each kind, with and without problems."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from django.conf import settings

from rollbook.doctor import database as doctor_database
from rollbook.doctor.result import Level
from tests.cli import process
from tests.db.own_database import OwnDatabase, own_database
from tests.doctor.conftest import Here, results
from tests.doctor.host import doctor

pytestmark = pytest.mark.process

BUSY = "django_migrations"


@pytest.mark.only_on("sqlite")
class TestSqlite:
    """A file in the data folder."""

    @pytest.fixture
    def file(self, installed: Path) -> Path:
        return installed / "rollbook.sqlite3"

    def test_a_database_without_errors(self, file: Path) -> None:
        found = doctor(file.parent)
        assert found.code == 0
        [(result, what)] = found.parts["database"]
        assert result == "ok"
        assert what.startswith(f"{file}, 0.")
        assert what.endswith(f"SQLite {sqlite3.sqlite_version}: no errors found")

    def test_none_yet(self, tmp_path: Path) -> None:
        found = doctor(tmp_path)
        assert found.parts["database"] == [
            ("warning", f"there is no {tmp_path}/rollbook.sqlite3 yet")
        ]
        assert found.results("updates") == ["skipped"]
        assert list(tmp_path.iterdir()) == []

    def test_a_database_that_disappeared(self, file: Path) -> None:
        (file.parent / "spool").mkdir(mode=0o700)
        (file.parent / "spool" / "0123").touch(0o600)
        for each in file.parent.glob("rollbook.sqlite3*"):
            each.unlink()
        assert doctor(file.parent).parts["database"] == [
            ("error", f"there is no {file}, but this data folder has been in use")
        ]
        assert not file.exists()

    def test_another_file_in_its_place(self, file: Path) -> None:
        file.write_bytes(b"not a database" * 100)
        assert doctor(file.parent).parts["database"] == [("error", f"{file} is not a database")]

    @pytest.mark.parametrize(
        ("start", "length"), [(0, 4096), (8, 4)], ids=["a whole page", "four bytes"]
    )
    def test_damaged_pages(self, file: Path, start: int, length: int) -> None:
        with closing(sqlite3.connect(file)) as database:
            (page,) = database.execute(
                "SELECT rootpage FROM sqlite_master WHERE name = ?", [BUSY]
            ).fetchone()
            (size,) = database.execute("PRAGMA page_size").fetchone()
        with file.open("r+b") as raw:
            raw.seek((page - 1) * size + start)
            raw.write(b"\xff" * length)
        found = doctor(file.parent)
        [(result, what)] = found.parts["database"]
        assert (result, what.startswith(f"{file} is damaged")) == ("error", True)
        assert found.results("updates") == ["skipped"]

    def test_a_journal_mode_other_than_wal(self, file: Path) -> None:
        with closing(sqlite3.connect(file)) as database:
            assert database.execute("PRAGMA journal_mode = DELETE").fetchone() == ("delete",)
        assert "has the journal mode delete" in doctor(file.parent).what("database")

    def test_a_database_locked_by_another_program(self, file: Path) -> None:
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            found = doctor(file.parent)
        assert found.parts["database"] == [("error", f"{file} is locked by another program")]

    def test_an_outdated_library(
        self, here: Here, monkeypatch: pytest.MonkeyPatch, db: None
    ) -> None:
        monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 38, 0))
        what = f"SQLite {sqlite3.sqlite_version} is too old for Rollbook"
        assert results(doctor_database.check(here())) == [(Level.ERROR, what)]

    def test_the_integrity_check_has_a_time_limit(
        self, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with closing(sqlite3.connect(file)) as database:
            database.execute("CREATE TABLE many (text)")
            numbers = (
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) "
                "SELECT i FROM n"
            )
            database.execute(f"INSERT INTO many {numbers}")
            database.commit()
            assert doctor_database._check_integrity(database) == ([], True)
            monkeypatch.setattr(doctor_database, "INTEGRITY_CHECK_S", -1.0)
            assert doctor_database._check_integrity(database) == ([], False)


@pytest.mark.only_on("postgresql")
class TestPostgreSQL:
    """A database of its own."""

    @pytest.fixture
    def own(self, tmp_path: Path) -> Iterator[OwnDatabase]:
        with own_database(settings.DATABASE_URL) as own:
            add = process.rollbook(
                "district", "add", "X", env=process.environment(tmp_path, DATABASE_URL=own.url())
            )
            assert add.returncode == 0, add.stderr
            yield own

    def wrong(self, data: Path, url: str) -> dict[str, str]:
        """Return all problems except the missing durability of the test server."""
        found = doctor(data, DATABASE_URL=url).parts["database"]
        return {
            what: result
            for result, what in found
            if result != "ok" and not what.startswith(("fsync is off", "full_page_writes is off"))
        }

    def test_a_database_without_problems_is_named(self, tmp_path: Path, own: OwnDatabase) -> None:
        found = doctor(tmp_path, DATABASE_URL=own.url())
        result, what = found.parts["database"][0]
        assert result == "ok"
        assert (
            f" responds, version {own.value('SHOW server_version')}, database {own.name}, " in what
        )
        assert self.wrong(tmp_path, own.url()) == {}
        assert found.results("migrations") == found.results("updates") == ["ok"]

    def test_fsync_off_is_an_error(self, tmp_path: Path, own: OwnDatabase) -> None:
        is_reported = "fsync is off" in doctor(tmp_path, DATABASE_URL=own.url()).what("database")
        assert is_reported == (own.value("SHOW fsync") == "off")

    def test_synchronous_commit_off_is_a_warning(self, tmp_path: Path, own: OwnDatabase) -> None:
        own.execute("ALTER DATABASE {database} SET synchronous_commit = off")
        [(what, result)] = self.wrong(tmp_path, own.url()).items()
        assert (result, what.startswith("synchronous_commit is off")) == ("warning", True)

    def test_a_read_only_database(self, tmp_path: Path, own: OwnDatabase) -> None:
        own.execute("ALTER DATABASE {database} SET default_transaction_read_only = on")
        [(what, result)] = self.wrong(tmp_path, own.url()).items()
        assert (result, what.startswith("it is read-only")) == ("error", True)

    def test_missing_permissions(self, tmp_path: Path, own: OwnDatabase) -> None:
        own.execute("CREATE SCHEMA closed")
        own.execute("REVOKE CREATE ON SCHEMA closed FROM {user}")
        url = own.url(options="-c search_path=closed")
        assert list(self.wrong(tmp_path, url)) == [
            f"{own.user} has no permission to create tables in the schema closed, "
            "which upgrades need"
        ]
        url = own.url(options="-c search_path=nowhere")
        assert self.wrong(tmp_path, url) == {
            f"{own.user} has no schema to create tables in": "error"
        }

    def test_a_database_is_really_written(self, tmp_path: Path, own: OwnDatabase) -> None:
        own.execute("REVOKE INSERT ON operations_writeprobe FROM {user}")
        [(what, result)] = self.wrong(tmp_path, own.url()).items()
        assert (result, "belong to another user" in what) == ("error", True)

    def test_another_encoding(self, tmp_path: Path) -> None:
        with own_database(settings.DATABASE_URL, "ENCODING 'LATIN1' LOCALE 'C'") as own:
            what = f"the database {own.name} has the encoding LATIN1, which cannot store every name"
            assert self.wrong(tmp_path, own.url()) == {what: "error"}

    def test_a_database_without_free_connections(self, tmp_path: Path, own: OwnDatabase) -> None:
        own.execute("ALTER DATABASE {database} CONNECTION LIMIT 0")
        found = doctor(tmp_path, DATABASE_URL=own.url())
        [(result, what)] = found.parts["database"]
        assert (result, what.endswith("has no connection left")) == ("error", True)
        assert found.results("migrations") == ["skipped"]
        assert found.results("disk") == ["ok"]


def test_an_unreachable_server(tmp_path: Path) -> None:
    found = doctor(tmp_path, DATABASE_URL="postgres://rollbook:s3cret@127.0.0.1:1/school")
    what = "PostgreSQL at 127.0.0.1:1 can't be reached: no server is listening there"
    assert found.parts["database"] == [("error", what)]
