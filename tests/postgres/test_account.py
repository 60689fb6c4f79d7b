"""The tests' PostgreSQL runs as root and as other accounts, whatever folders they can access."""

import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.postgres import account, binaries
from tests.postgres.guard import standing
from tests.postgres.looking import Traces, ask
from tests.postgres.server import running_server

IS_ROOT = os.geteuid() == 0
HERE = Path(__file__).parent


@pytest.fixture
def reachable() -> Iterator[Path]:
    """A folder in which the server's account may do as it likes."""
    folder = account.own_folder(account.of_the_server(), account.places())
    yield folder
    shutil.rmtree(folder)


def test_binaries_below_a_closed_folder_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    copied = binaries._copy(binaries.find(), home)
    home.chmod(0o700)
    monkeypatch.setenv(binaries.VARIABLE, str(copied))
    with running_server() as server:
        assert ask(server.url(), "SELECT 1") == 1
        assert (home in server.binaries.parents) is not IS_ROOT


def test_a_closed_temporary_folder_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(0o700)
    monkeypatch.setattr(tempfile, "tempdir", str(closed))
    with running_server() as server:
        assert ask(server.url(), "SELECT 1") == 1
        assert (server.folder.parent == closed) is not IS_ROOT
    assert list(closed.iterdir()) == []


def test_a_temporary_folder_whose_name_is_too_long_for_a_socket_will_do(
    reachable: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = reachable / ("long" * 25)
    long.mkdir()
    account.of_the_server().take(long)
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    with running_server() as server:
        assert ask(server.url(), "SELECT 1") == 1
        assert server.folder.parent == long
    assert list(long.iterdir()) == []


def test_the_server_never_runs_as_root() -> None:
    with running_server() as server, psycopg.connect(server.url()):
        owners = {Path(f"/proc/{pid}").stat().st_uid for pid in server.processes()}
        assert owners == {account.of_the_server().uid}
        assert 0 not in owners


def test_an_ordinary_user_serves_as_himself_until_told_to_stop(reachable: Path) -> None:
    with serving(reachable) as command:
        assert command.stdout
        with psycopg.connect(command.stdout.readline().strip()) as connection:
            assert connection.info.dbname == "rollbook"
            backend = connection.info.backend_pid
            postmaster = standing(backend)[1]
            guard = standing(postmaster)[1]
            assert standing(guard)[1] == command.pid
            processes = [backend, postmaster, guard, command.pid]
            owners = {Path(f"/proc/{pid}").stat().st_uid for pid in processes}
        of_it = Traces(processes, [str(folder) for folder in reachable.glob("rollbook-pg-*")])
        assert len(of_it.folders) == 2
        command.send_signal(signal.SIGTERM)
    assert command.returncode == 0
    assert owners == {account.of_the_server().uid}
    assert of_it.left() == []


def serving(folder: Path) -> "subprocess.Popen[str]":
    """The command, run by somebody who is not root and may be let in nowhere but in this folder."""
    user = account.of_the_server()
    named = {binaries.VARIABLE: str(binaries.reachable(binaries.find(), user, folder / "copied"))}
    python = a_python(folder)
    user.take(folder)
    ours = {
        "PYTHONPATH": str(folder / "packages"),
        "LD_LIBRARY_PATH": str(folder / "lib"),
        "TMPDIR": str(folder),
    }
    return subprocess.Popen(
        [python, "-m", "tests.postgres.server", folder],
        cwd="/",
        env=os.environ | ours | named,
        stdout=subprocess.PIPE,
        text=True,
        **user.options,
    )


def a_python(folder: Path) -> Path:
    """Copy this Python and what the server needs, because others may not have access to ours."""
    for name in ("bin", "lib", "packages"):
        (folder / name).mkdir()
    base, library, executable = (
        Path(sys.base_prefix),
        Path(sysconfig.get_path("stdlib")),
        Path(sys.executable).resolve(),
    )
    mostly = shutil.ignore_patterns(
        "__pycache__", "site-packages", "dist-packages", "test", "tests", "config-*"
    )
    shutil.copytree(library, folder / library.relative_to(base), ignore=mostly, dirs_exist_ok=True)
    shutil.copy(executable, folder / "bin")
    for shared in Path(sysconfig.get_config_var("LIBDIR")).glob("libpython3.*so*"):
        shutil.copy(shared, folder / "lib")
    packages = Path(psycopg.__file__).parents[1]
    for found in (*packages.glob("psycopg*"), packages / "typing_extensions.py"):
        subprocess.run(["cp", "-r", found, folder / "packages"], check=True)
    shutil.copytree(HERE, folder / "packages" / "tests" / "postgres")
    return folder / "bin" / executable.name
