"""What every command says of a database that cannot be used: one line, exit code 1, no traceback, no password."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from django.conf import settings

from tests.cli import process
from tests.database.other_end import other_end, refusing
from tests.database.own import OwnDatabase, own_database

SERVE, ADD, LIST = (
    ("serve", "--port", "0"),
    ("district", "add", "Maple USD"),
    ("update", "list", "maple-usd"),
)
every_opening = pytest.mark.parametrize(
    "command", [SERVE, ADD, LIST], ids=["serve", "district add", "update list"]
)


def told(data: Path, url: str, command: tuple[str, ...] = ADD) -> str:
    """The one line."""
    done = process.rollbook(*command, env=process.environment(data, DATABASE_URL=url))
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert "s3cret" not in line
    assert line.startswith("ERROR database: ")
    return line.removeprefix("ERROR database: ")


@every_opening
def test_a_server_that_lets_nobody_in(tmp_path: Path, command: tuple[str, ...]) -> None:
    with other_end(refusing("28P01", 'password authentication failed for user "rollbook"')) as port:
        line = told(tmp_path, f"postgres://rollbook:s3cret@127.0.0.1:{port}/school", command)
    assert line == (
        f"PostgreSQL at 127.0.0.1:{port} knows no user rollbook with this password; correct user and password in "
        "DATABASE_URL (write %40 for an @ in the password, %2F for a / and so on), or give the user a new password "
        "there: `\\password rollbook` in psql"
    )


def test_a_server_that_is_away(tmp_path: Path) -> None:
    assert told(tmp_path, "postgres://rollbook:s3cret@127.0.0.1:1/school") == (
        "PostgreSQL at 127.0.0.1:1 cannot be reached: nobody listens there; "
        "start it, or correct host and port in DATABASE_URL"
    )


def test_an_address_that_is_none_is_a_wrong_setting(tmp_path: Path) -> None:
    env = process.environment(tmp_path, DATABASE_URL="mysql://rollbook:s3cret@127.0.0.1/school")
    done = process.rollbook(*ADD, env=env)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "ERROR bad_setting: an environment variable has an invalid value "
        "(DATABASE_URL does not begin with postgres://); correct it\n"
    )


@every_opening
def test_a_file_that_is_no_database(tmp_path: Path, command: tuple[str, ...]) -> None:
    (tmp_path / "rollbook.sqlite3").write_bytes(b"not a database" * 100)
    assert told(tmp_path, "", command).startswith(
        f"{tmp_path}/rollbook.sqlite3 is not a database; "
    )


@every_opening
def test_a_file_that_cannot_be_opened(tmp_path: Path, command: tuple[str, ...]) -> None:
    (tmp_path / "rollbook.sqlite3").mkdir()
    assert told(tmp_path, "", command) == (
        f"{tmp_path}/rollbook.sqlite3 cannot be opened; "
        "see that the file and its folder belong to whoever runs this command"
    )


def test_a_database_file_cut_short_is_damaged(tmp_path: Path) -> None:
    process.rollbook(*ADD, env=process.environment(tmp_path, DATABASE_URL=""))
    path = tmp_path / "rollbook.sqlite3"
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path.write_bytes(path.read_bytes()[:8192])
    assert told(tmp_path, "", LIST).startswith(f"{path} is damaged; stop the server, keep a copy")


@pytest.mark.only_on("postgresql")
class TestRealPostgreSQL:
    """Without what Rollbook needs of it."""

    @pytest.fixture
    def own(self) -> Iterator[OwnDatabase]:
        with own_database(settings.DATABASE_URL) as own:
            yield own

    @every_opening
    def test_a_database_that_is_not_there(
        self, tmp_path: Path, own: OwnDatabase, command: tuple[str, ...]
    ) -> None:
        assert " has no database doctor_nowhere; " in told(
            tmp_path, own.url(dbname="doctor_nowhere"), command
        )

    @every_opening
    def test_no_right_to_make_tables(
        self, tmp_path: Path, own: OwnDatabase, command: tuple[str, ...]
    ) -> None:
        own.execute("CREATE SCHEMA closed")
        own.execute("REVOKE CREATE ON SCHEMA closed FROM {user}")
        line = told(tmp_path, own.url(options="-c search_path=closed"), command)
        assert f" does not let {own.user} make tables in {own.name}; " in line

    @every_opening
    def test_only_reading_is_allowed(
        self, tmp_path: Path, own: OwnDatabase, command: tuple[str, ...]
    ) -> None:
        assert " lets nobody write; " in told(
            tmp_path, own.url(options="-c default_transaction_read_only=on"), command
        )

    def test_tables_that_somebody_else_made(self, tmp_path: Path, own: OwnDatabase) -> None:
        assert (
            process.rollbook(
                *ADD, env=process.environment(tmp_path, DATABASE_URL=own.url())
            ).returncode
            == 0
        )
        own.execute("REVOKE ALL ON roster_district FROM {user}")
        assert f" belongs to another user than {own.user}; " in told(tmp_path, own.url(), LIST)
