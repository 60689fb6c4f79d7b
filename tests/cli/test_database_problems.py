"""A database that cannot be used: one line on stderr, exit code 1, no traceback or password."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from django.conf import settings

from tests.cli import process
from tests.db.fake_server import fake_server, refusing
from tests.db.own_database import OwnDatabase, own_database

pytestmark = pytest.mark.process

SERVE, ADD, LIST = (
    ("serve", "--port", "0"),
    ("district", "add", "Maple USD"),
    ("update", "list", "maple-usd"),
)
every_opening = pytest.mark.parametrize(
    "command", [SERVE, ADD, LIST], ids=["serve", "district add", "update list"]
)

every_creation = pytest.mark.parametrize("command", [SERVE, ADD], ids=["serve", "district add"])


WHILE_CREATING = ("migration_failed", "cannot_start")


def error_message(
    data: Path, url: str, command: tuple[str, ...] = ADD, codes: tuple[str, ...] = ("database",)
) -> str:
    """Run the command and return its error message, without one of these codes."""
    result = process.rollbook(*command, env=process.environment(data, DATABASE_URL=url))
    assert (result.returncode, result.stdout) == (1, "")
    (line,) = result.stderr.splitlines()
    assert "s3cret" not in line
    error, _, message = line.partition(": ")
    assert error in [f"ERROR {code}" for code in codes]
    return message


@every_opening
def test_the_server_rejects_the_password(tmp_path: Path, command: tuple[str, ...]) -> None:
    with fake_server(
        refusing("28P01", 'password authentication failed for user "rollbook"')
    ) as port:
        line = error_message(
            tmp_path, f"postgres://rollbook:s3cret@127.0.0.1:{port}/school", command
        )
    assert line == (
        f"PostgreSQL at 127.0.0.1:{port} does not accept this password for the user rollbook; "
        "correct the user and password in DATABASE_URL (write %40 for an @ in the password, "
        "%2F for a / and so on), or set a new password for the user: "
        "`\\password rollbook` in psql"
    )


def test_the_server_is_not_running(tmp_path: Path) -> None:
    assert error_message(tmp_path, "postgres://rollbook:s3cret@127.0.0.1:1/school") == (
        "PostgreSQL at 127.0.0.1:1 can't be reached: no server is listening there; "
        "start it, or correct the host and port in DATABASE_URL"
    )


def test_an_invalid_database_url_is_an_invalid_setting(tmp_path: Path) -> None:
    env = process.environment(tmp_path, DATABASE_URL="mysql://rollbook:s3cret@127.0.0.1/school")
    result = process.rollbook(*ADD, env=env)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == (
        "ERROR bad_setting: an environment variable has an invalid value "
        "(DATABASE_URL does not begin with postgres://); correct it\n"
    )


@every_opening
def test_the_file_is_not_a_database(tmp_path: Path, command: tuple[str, ...]) -> None:
    (tmp_path / "rollbook.sqlite3").write_bytes(b"not a database" * 100)
    assert error_message(tmp_path, "", command).startswith(
        f"{tmp_path}/rollbook.sqlite3 is not a database; "
    )


@every_opening
def test_the_file_cannot_be_opened(tmp_path: Path, command: tuple[str, ...]) -> None:
    (tmp_path / "rollbook.sqlite3").mkdir()
    assert error_message(tmp_path, "", command) == (
        f"{tmp_path}/rollbook.sqlite3 can't be opened; "
        "make sure that the account that runs this command owns the file and its folder"
    )


def test_a_truncated_database_file_is_damaged(tmp_path: Path) -> None:
    process.rollbook(*ADD, env=process.environment(tmp_path, DATABASE_URL=""))
    path = tmp_path / "rollbook.sqlite3"
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path.write_bytes(path.read_bytes()[:8192])
    assert error_message(tmp_path, "", LIST).startswith(
        f"{path} is damaged; stop the server, keep a copy"
    )


@pytest.mark.only_on("postgresql")
class TestRealPostgreSQL:
    """PostgreSQL databases that lack what Rollbook needs."""

    @pytest.fixture
    def own(self) -> Iterator[OwnDatabase]:
        with own_database(settings.DATABASE_URL) as own:
            yield own

    @every_opening
    def test_the_database_does_not_exist(
        self, tmp_path: Path, own: OwnDatabase, command: tuple[str, ...]
    ) -> None:
        assert " has no database doctor_nowhere; " in error_message(
            tmp_path, own.url(dbname="doctor_nowhere"), command
        )

    @every_creation
    def test_there_is_no_permission_to_create_tables(
        self, tmp_path: Path, own: OwnDatabase, command: tuple[str, ...]
    ) -> None:
        own.execute("CREATE SCHEMA closed")
        own.execute("REVOKE CREATE ON SCHEMA closed FROM {user}")
        url = own.url(options="-c search_path=closed")
        line = error_message(tmp_path, url, command, WHILE_CREATING)
        assert f" does not allow {own.user} to create tables in {own.name}; " in line

    @every_creation
    def test_the_database_is_read_only(
        self, tmp_path: Path, own: OwnDatabase, command: tuple[str, ...]
    ) -> None:
        url = own.url(options="-c default_transaction_read_only=on")
        assert " is read-only; " in error_message(tmp_path, url, command, WHILE_CREATING)

    def test_the_tables_belong_to_another_user(self, tmp_path: Path, own: OwnDatabase) -> None:
        assert (
            process.rollbook(
                *ADD, env=process.environment(tmp_path, DATABASE_URL=own.url())
            ).returncode
            == 0
        )
        own.execute("REVOKE ALL ON districts_district FROM {user}")
        assert f" belong to another user than {own.user}; " in error_message(
            tmp_path, own.url(), LIST
        )
