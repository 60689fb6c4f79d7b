"""Which PostgreSQL the tests use, and what to do if there is none."""

import subprocess
from pathlib import Path

import pytest

from tests.postgres import PostgresProblem, binaries
from tests.postgres.looking import ask
from tests.postgres.server import Server, running_server

INSTALLED = [
    folder
    for folder in dict.fromkeys(binaries.candidates())
    if binaries.version(folder) >= binaries.OLDEST
]


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A machine without a PostgreSQL."""
    monkeypatch.delenv(binaries.VARIABLE, raising=False)
    monkeypatch.setattr(binaries, "PACKAGE", "no_such_package")
    monkeypatch.setattr(binaries, "SYSTEM", ())
    monkeypatch.setenv("PATH", "")
    return monkeypatch


@pytest.mark.parametrize("folder", INSTALLED, ids=str)
def test_every_one_that_is_here_will_do(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(binaries.VARIABLE, str(folder))
    knows_an_order = binaries.knows_an_order(folder) or "en_US.utf8" in locales()
    with running_server() as server:
        assert ask(
            server.url(), "SELECT current_setting('server_version_num')::int / 10000"
        ) == binaries.version(folder)
        assert ask(server.url(), "SHOW server_encoding") == "UTF8"
        assert ask(server.url(), "SELECT 'a' < 'B'") is knows_an_order


def locales() -> list[str]:
    return subprocess.run(
        ["locale", "-a"], capture_output=True, text=True, check=True
    ).stdout.split()


def test_without_any_it_says_the_command_that_mends_it(bare: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        PostgresProblem,
        match=r"there is no PostgreSQL 14 or later to test with.*; run `make setup`,",
    ):
        Server()


def test_the_one_on_the_path_is_taken_before_the_newest_of_the_machine(
    tmp_path: Path, bare: pytest.MonkeyPatch
) -> None:
    for number in ("9.6.24", "13.23", "15.18", "17beta1"):
        a_pretender(tmp_path / number / "bin", number)
    (tmp_path / "18" / "bin").mkdir(parents=True)  # of a client alone
    bare.setattr(binaries, "SYSTEM", (f"{tmp_path}/*/bin".lstrip("/"),))
    assert binaries.find() == tmp_path / "17beta1" / "bin"
    bare.setenv("PATH", str(tmp_path / "15.18" / "bin"))
    assert binaries.find() == tmp_path / "15.18" / "bin"
    bare.setenv("PATH", str(tmp_path / "13.23" / "bin"))
    assert binaries.find() == tmp_path / "17beta1" / "bin"


def a_pretender(folder: Path, number: str) -> None:
    """Binaries that know their version and nothing else."""
    folder.mkdir(parents=True)
    for name in binaries.NEEDED:
        (folder / name).write_text(
            f"#!/bin/sh\necho 'postgres (PostgreSQL) {number}'\n", encoding="utf-8"
        )
        (folder / name).chmod(0o755)


def test_who_wants_a_peoples_order_of_texts_gets_the_best_that_knows_one(
    tmp_path: Path, bare: pytest.MonkeyPatch
) -> None:
    for number in ("15.18", "16.14", "17.6"):
        a_pretender(tmp_path / number / "bin", number)
    bare.setattr(binaries, "SYSTEM", (f"{tmp_path}/*/bin".lstrip("/"),))
    assert binaries.find(ordered=True) == tmp_path / "17.6" / "bin"
    for number in ("15.18", "16.14"):
        with (tmp_path / number / "bin" / "postgres").open("a", encoding="ascii") as postgres:
            postgres.write("# libicui18n.so.72\n")
    assert binaries.find(ordered=True) == tmp_path / "16.14" / "bin"
    assert binaries.find() == tmp_path / "17.6" / "bin"


@pytest.mark.parametrize("number", ["", "13.23"])
def test_a_named_folder_without_good_ones_is_refused_and_no_other_taken(
    number: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if number:
        a_pretender(tmp_path / "bin", number)
    monkeypatch.setenv(binaries.VARIABLE, str(tmp_path / "bin"))
    with pytest.raises(
        PostgresProblem,
        match=f"ROLLBOOK_TEST_POSTGRES_BIN names {tmp_path}/bin, which has no initdb",
    ):
        Server()
