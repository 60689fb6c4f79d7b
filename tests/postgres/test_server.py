"""The tests' own PostgreSQL is set up as it was asked for, and does what fault tests want of it."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.postgres import PostgresProblem, account
from tests.postgres.guard import standing
from tests.postgres.looking import ask
from tests.postgres.server import LOOPBACK, SUPERUSER, Server, running_server


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server(
        tcp=True, settings={"max_connections": 17, "rollbook.long": "x" * 9000}
    ) as server:
        yield server


def a_seven(server: Server, name: str) -> str:
    """The URL of a new database in which a table says seven."""
    url = server.create_database(name)
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS value")
    return url


def test_its_url_works_through_the_socket_and_through_the_port(server: Server) -> None:
    url = server.create_database("an odd name?")
    assert url.startswith("postgres://")
    assert ask(url, "SELECT current_database()") == "an odd name?"
    assert ask(url, "SELECT inet_server_addr()") is None
    assert (
        ask(server.url("an odd name?", port=server.port), "SELECT host(inet_server_addr())")
        == LOOPBACK
    )


def test_it_listens_on_the_loopback_address_and_only_if_told_to(server: Server) -> None:
    assert ask(server.url(), "SHOW listen_addresses") == LOOPBACK
    with running_server() as other:
        assert ask(other.url(), "SHOW listen_addresses") == ""


@pytest.mark.parametrize("through_port", [False, True], ids=["socket", "port"])
def test_nobody_gets_in_without_the_password(server: Server, through_port: bool) -> None:
    url = server.url(port=server.port if through_port else None)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(url.replace(server.password, "guessed"))
    assert server.folder.stat().st_mode & 0o777 == server.sockets.stat().st_mode & 0o777 == 0o700


def test_the_product_is_no_superuser(server: Server) -> None:
    question = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
    assert ask(server.url(), question) is False
    assert ask(server.url(user=SUPERUSER), question) is True


def test_settings_are_those_asked_for(server: Server) -> None:
    assert ask(server.url(), "SHOW max_connections") == "17"
    assert ask(server.url(), 'SHOW "rollbook.long"') == "x" * 9000
    assert ask(server.url(), "SHOW fsync") == "off"


def test_a_durable_one_survives_power_cuts() -> None:
    with running_server(durable=True) as server:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            assert ask(server.url(), f"SHOW {name}") == "on"


@pytest.mark.parametrize("mode", ["smart", "fast", "immediate"])
def test_what_was_committed_is_there_after_stop_and_start(server: Server, mode: str) -> None:
    url, before = a_seven(server, mode), server.pid
    server.stop(mode)
    assert server.processes() == []
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)
    server.start()
    assert server.pid != before
    assert ask(url, "SELECT value FROM kept") == 7


def test_a_copy_that_was_stopped_at_once_gives_no_key_twice(server: Server) -> None:
    with psycopg.connect(server.create_database("copied"), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept (id serial PRIMARY KEY)")
        connection.execute("INSERT INTO kept DEFAULT VALUES")
    copy = server.create_database("a copy", like="copied")
    with psycopg.connect(copy, autocommit=True) as connection:
        connection.execute("INSERT INTO kept DEFAULT VALUES")
    server.stop("immediate")
    server.start()
    with psycopg.connect(copy, autocommit=True) as connection:
        connection.execute("INSERT INTO kept DEFAULT VALUES")


def test_it_starts_again_when_its_postmaster_was_killed_with_work_in_hand(server: Server) -> None:
    url = a_seven(server, "killed")
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE kept SET value = 8")
        os.kill(server.pid, signal.SIGKILL)
        server.start()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    assert ask(url, "SELECT value FROM kept") == 7


def test_it_can_be_frozen_and_thawed(server: Server) -> None:
    try:
        server.freeze()
        states = [standing(pid)[0] for pid in server.processes()]
        assert states[0] == "T"
        assert set(states) <= {"T", "Z"}
        assert len(states) > 3
    finally:
        server.thaw()
    assert ask(server.url(), "SELECT 1") == 1


def test_a_frozen_one_can_be_stopped(server: Server) -> None:
    server.freeze()
    server.stop()
    server.start()
    assert ask(server.url(), "SELECT 1") == 1


def test_two_stand_beside_each_other(server: Server) -> None:
    with running_server() as other:
        other.create_database("theirs")
        assert ask(server.url(), "SELECT count(*) FROM pg_database WHERE datname = 'theirs'") == 0
    assert ask(server.url(), "SELECT 1") == 1


def test_its_data_are_where_they_were_asked_for() -> None:
    folder = account.own_folder(account.of_the_server(), account.places())
    try:
        with running_server(folder) as server:
            assert (
                Path(str(ask(server.url(user=SUPERUSER), "SHOW data_directory"))).parents[1]
                == folder
            )
        assert list(folder.iterdir()) == []
    finally:
        folder.rmdir()


def test_a_folder_it_cannot_write_in_is_named() -> None:
    with pytest.raises(
        PostgresProblem, match="found no place it can write in: tried /proc/nowhere; name a folder"
    ):
        Server(Path("/proc/nowhere"))
