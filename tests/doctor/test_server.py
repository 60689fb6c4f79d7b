"""The running server, as the system reports it."""

import fcntl
import os
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rollbook.doctor import certificate, server, server_process
from rollbook.doctor.result import Level
from rollbook.server import tls
from tests.doctor.conftest import Here, results
from tests.doctor.host import doctor, serving
from tests.post_office import a_free_port


@contextmanager
def held(data: Path, pid: str) -> Iterator[None]:
    """Hold the lock as `serve` does."""
    with (data / "serve.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(pid)
        file.flush()
        yield


@pytest.mark.process
def test_a_running_server_is_reported_with_its_address_and_certificate(installed: Path) -> None:
    with serving(installed) as (pid, port):
        found = doctor(installed)
    [(result, what)] = found.parts["server"]
    assert (result, what) == (
        "ok",
        f"`rollbook serve` is running (process {pid}) and responds on port {port}",
    )
    [(result, what)] = found.parts["certificate"]
    assert (result, what.endswith(f"(CURL_CA_BUNDLE={installed}/certificate.pem)")) == ("ok", True)
    assert found.results("worker") == ["ok"]


@pytest.mark.only_on("sqlite")
@pytest.mark.process
def test_no_server_is_a_warning_on_sqlite(installed: Path) -> None:
    assert doctor(installed).parts["server"] == [
        ("warning", "no `rollbook serve` is running on this data folder")
    ]


def test_no_server_is_ok_where_many_machines_may_run_it(here: Here, settings: Namespace) -> None:
    settings.ON_POSTGRESQL = True
    [(level, what)] = results(server.check(here()))
    assert (level, what.endswith("web and worker may run on other machines")) == (Level.OK, True)


@pytest.mark.process
def test_different_settings_are_named_without_their_values(installed: Path) -> None:
    with serving(installed):
        found = doctor(installed, ROLLBOOK_SMTP_HOST="127.0.0.1", ROLLBOOK_SMTP_PASSWORD="s3cret")
    [(result, what)] = found.parts["server"]
    words = (
        "the server uses a different ROLLBOOK_SMTP_HOST, ROLLBOOK_SMTP_PASSWORD than this command"
    )
    assert (result, what.startswith(words), "s3cret" in what) == ("warning", True, False)


def a_server(**changes: object) -> server_process.Server:
    options = {
        "host": "127.0.0.1",
        "port": a_free_port(),
        "socket": None,
        "cert": None,
        "key": None,
        "behind_proxy": False,
    }
    return server_process.Server(os.getpid(), Namespace(**(options | changes)), {}, Path("/srv"))


def test_a_server_that_does_not_respond_is_an_error(here: Here) -> None:
    ready = here()
    ready.server = a_server()
    [(level, what)] = results(server.check(ready))
    assert (level, "/healthz does not return OK" in what) == (Level.ERROR, True)


def test_its_options_and_environment_are_read_from_its_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [
        "python",
        "-m",
        "rollbook",
        "serve",
        "--port",
        "443",
        "--cert=c.pem",
        "--key",
        "/k.pem",
        "--data",
        "d",
    ]
    process = tmp_path / "proc" / "17"
    process.mkdir(parents=True)
    (process / "cmdline").write_bytes(b"".join(word.encode() + b"\0" for word in words))
    (process / "environ").write_bytes(b"HOME=/root\0ROLLBOOK_URL=https://a=b\0")
    (process / "cwd").symlink_to("/srv")
    monkeypatch.setattr(server_process, "_PROCESSES", tmp_path / "proc")
    with held(tmp_path, "17\n"):
        found = server_process.find(tmp_path)
    assert found
    assert (found.pid, found.certificate, found.behind_proxy) == (
        17,
        (Path("/srv/c.pem"), Path("/k.pem")),
        False,
    )
    assert found.environment == {"HOME": "/root", "ROLLBOOK_URL": "https://a=b"}
    (process / "cmdline").write_bytes(
        b"sleep\01\0"
    )  # on storage that machines share, the number is of another machine
    with held(tmp_path, "17\n"):
        assert server_process.find(tmp_path) == server_process.Server(17, None, None, None)


@pytest.mark.parametrize("written", ["", "17", "x"])
def test_a_free_lock_means_that_no_server_is_running(tmp_path: Path, written: str) -> None:
    assert server_process.find(tmp_path) is None
    (tmp_path / "serve.lock").write_text(written)
    assert server_process.find(tmp_path) is None
    with held(tmp_path, "not a number"):
        assert server_process.find(tmp_path) == server_process.Server(None, None, None, None)


def test_the_certificate_of_the_servers_options_is_checked(here: Here, tmp_path: Path) -> None:
    ready = here()
    tls.self_signed_certificate(ready.data, "localhost")
    server_of_its_own = a_server(cert=tmp_path / "gone.pem", key=tmp_path / "gone.key")
    ready.certificate = server_of_its_own.certificate
    [(level, what)] = results(certificate.check(ready))
    assert (level, what.startswith(f"{tmp_path}/gone.pem cannot be read")) == (Level.ERROR, True)
