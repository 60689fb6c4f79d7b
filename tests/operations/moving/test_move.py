"""``rollbook move``: from SQLite to the PostgreSQL server of the test run."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest
from django.conf import settings

from tests import depth
from tests.db.own_database import OwnDatabase, own_database
from tests.installations import environment
from tests.operations.places import content, disturbed, events
from tests.prepared import Done, prepared

pytestmark = [pytest.mark.process, pytest.mark.only_on("postgresql")]

SAMPLES, NIGHTLY = 2, 40
KILLED = 137
SQLITE = {"DATABASE_URL": ""}
"""Of the environment, for a command on the SQLite database of a data folder."""


@cache
def _filled_once() -> Path:
    data = Path(mkdtemp(prefix="rollbook-filled-")) / "data"
    data.mkdir(mode=0o700)
    for module, words in (("rollbook", ["migrate"]), ("tests.operations.every_table", [])):
        done = prepared().run(module, *words, environment=environment(data, **SQLITE))
        assert done.code == 0, done.err
    return data


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return shutil.copytree(_filled_once(), tmp_path / "data")


@pytest.fixture
def target() -> Iterator[OwnDatabase]:
    with own_database(settings.DATABASE_URL) as database:
        yield database


def rollbook(data: Path, *arguments: str, code: int = 0, url: str = "") -> Done:
    done = prepared().run("rollbook", *arguments, environment=environment(data, DATABASE_URL=url))
    assert done.code == code, f"{done.out}\n{done.err}"
    return done


def error(data: Path, *arguments: str, url: str = "") -> str:
    return rollbook(data, *arguments, code=1, url=url).err.splitlines()[-1]


def test_everything_is_moved_and_the_sqlite_database_no_longer_used(
    data: Path, target: OwnDatabase
) -> None:
    expected = content(data, **SQLITE)
    out = rollbook(data, "move", "--to", target.url()).out
    assert "2 uploaded files; all of them are the same in PostgreSQL." in out
    assert "Set DATABASE_URL to the address that you gave with --to" in out
    moved = content(data, DATABASE_URL=target.url())
    assert without_chunks(moved) == without_chunks(expected)
    rollbook(data, "audit", "check", url=target.url())
    for command in (("update", "list", "maple-usd"), ("backup", str(data.parent / "b.tar"))):
        assert "everything was moved from this database to PostgreSQL" in error(data, *command)
    # New rows get numbers that no moved row has.
    rollbook(data, "district", "add", "Cedar County", "--time-zone", "UTC", url=target.url())
    assert target.value("SELECT count(*) FROM pg_trigger WHERE tgenabled <> 'O'") == 0
    assert "already_moved" in error(data, "move", "--to", target.url())


def without_chunks(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """Leave out the copies of uploaded files, which only PostgreSQL has."""
    return [row for row in rows if row["model"] != "updates.filechunk"]


def test_a_moved_database_is_used_again_after_adopt(data: Path, target: OwnDatabase) -> None:
    rollbook(data, "move", "--to", target.url())
    with (
        closing(sqlite3.connect(data / "rollbook.sqlite3")) as session,
        pytest.raises(sqlite3.IntegrityError, match="everything was moved"),
    ):
        session.execute("INSERT INTO updates_updatejob DEFAULT VALUES")
    assert "is used again" in rollbook(data, "adopt").out
    rollbook(data, "update", "list", "maple-usd")
    with closing(sqlite3.connect(data / "rollbook.sqlite3")) as session:
        triggers = session.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        assert ("everything_was_moved",) not in triggers.fetchall()


def test_a_move_that_is_killed_is_continued_and_nothing_uses_the_half(
    data: Path, target: OwnDatabase, tmp_path: Path
) -> None:
    expected = content(data, **SQLITE)
    with own_database(settings.DATABASE_URL) as counted:
        copy = shutil.copytree(data, tmp_path / "counted" / "data")
        count = events(copy, "move", "--to", counted.url(), **SQLITE)
    for at in depth.sample(range(1, count + 1), "move kill", daily=SAMPLES, nightly=NIGHTLY):
        with own_database(settings.DATABASE_URL) as database:
            copy = shutil.copytree(data, tmp_path / str(at) / "data")
            url = database.url()
            assert disturbed(copy, "kill", at, "move", "--to", url, **SQLITE).code == KILLED, at
            assert_only_one_is_used(copy, url)
            done = prepared().run(
                "rollbook", "move", "--to", url, environment=environment(copy, **SQLITE)
            )
            assert done.code == 0 or "already_moved" in done.err, f"{at} of {count}: {done.err}"
            moved = content(copy, DATABASE_URL=url)
            assert without_chunks(moved) == without_chunks(expected), at
            error(copy, "update", "list", "maple-usd")


def test_a_move_to_a_full_disk_says_so_and_is_continued(
    data: Path, target: OwnDatabase, tmp_path: Path
) -> None:
    expected = content(data, **SQLITE)
    copy = shutil.copytree(data, tmp_path / "counted" / "data")
    count = events(copy, "move", "--to", target.url(), **SQLITE)
    for at in depth.sample(range(1, count + 1), "move full", daily=SAMPLES, nightly=NIGHTLY):
        with own_database(settings.DATABASE_URL) as database:
            copy = shutil.copytree(data, tmp_path / str(at) / "data")
            url = database.url()
            done = disturbed(copy, "database_full", at, "move", "--to", url, **SQLITE)
            if done.code:
                assert any(line.startswith("ERROR ") for line in done.err.splitlines()), at
                assert "Traceback" not in done.err, at
            again = prepared().run(
                "rollbook", "move", "--to", url, environment=environment(copy, **SQLITE)
            )
            assert again.code == 0 or "already_moved" in again.err, f"{at}: {again.err}"
            assert without_chunks(content(copy, DATABASE_URL=url)) == without_chunks(expected), at


def assert_only_one_is_used(data: Path, url: str) -> None:
    """Check that a command works with at most one of the two databases."""
    codes = [
        prepared()
        .run(
            "rollbook",
            "update",
            "list",
            "maple-usd",
            environment=environment(data, DATABASE_URL=database),
        )
        .code
        for database in ("", url)
    ]
    assert 1 in codes


def test_only_an_empty_database_is_filled(data: Path, target: OwnDatabase) -> None:
    target.execute("CREATE TABLE other (id int)")
    assert "not_empty: the database that --to names is not empty: it has the table other" in error(
        data, "move", "--to", target.url()
    )
    target.execute("DROP TABLE other")
    other = data.parent / "other"
    rollbook(other, "district", "add", "Cedar County", "--time-zone", "UTC", url=target.url())
    assert "not_empty: the database that --to names is not empty: it belongs to" in error(
        data, "move", "--to", target.url()
    )
    rollbook(data, "update", "list", "maple-usd")


def test_a_change_between_two_runs_is_found(data: Path, target: OwnDatabase) -> None:
    count = events(
        shutil.copytree(data, data.parent / "c" / "data"), "move", "--to", target.url(), **SQLITE
    )
    with own_database(settings.DATABASE_URL) as database:
        disturbed(data, "kill", count - 60, "move", "--to", database.url(), **SQLITE)
        with closing(sqlite3.connect(data / "rollbook.sqlite3")) as session, session:
            session.execute("UPDATE students_student SET first_name = 'Changed'")
        text = error(data, "move", "--to", database.url())
        assert text.startswith("ERROR moved_differs: PostgreSQL differs from SQLite in students_")
        rollbook(data, "update", "list", "maple-usd")


def test_a_database_in_use_is_not_moved(data: Path, target: OwnDatabase) -> None:
    with closing(sqlite3.connect(data / "rollbook.sqlite3", isolation_level=None)) as session:
        session.execute("BEGIN IMMEDIATE")
        assert error(data, "move", "--to", target.url()).startswith("ERROR folder_in_use: ")
    assert rollbook(data, "move", "--to", target.url(), code=1, url=target.url()).err.startswith(
        "ERROR already_postgresql: "
    )
    empty = data.parent / "empty"
    empty.mkdir()
    assert error(empty, "move", "--to", target.url()).startswith("ERROR no_database: ")


def test_the_address_can_be_in_a_file_and_a_missing_upload_is_reported(
    data: Path, target: OwnDatabase
) -> None:
    next((data / "spool").iterdir()).unlink()
    file = data.parent / "url"
    file.write_text(f"{target.url()}\n")
    done = rollbook(data, "move", "--to-file", str(file))
    assert "1 uploaded file; all of them" in done.out
    assert "WARNING: 1 uploaded file missing from the spool folder: " in done.err
