"""The server that runs, as the system knows it."""

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
from tests.doctor.conftest import Here, told
from tests.doctor.host import doctor, serving
from tests.post_office import a_free_port


@contextmanager
def held(data: Path, pid: str) -> Iterator[None]:
    """The lock, as `serve` holds it."""
    with (data / "serve.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(pid)
        file.flush()
        yield


@pytest.mark.process
def test_a_server_that_runs_is_found_with_its_address_and_certificate(installed: Path) -> None:
    with serving(installed) as (pid, port):
        found = doctor(installed)
    [(result, what)] = found.parts["server"]
    assert (result, what) == (
        "ok",
        f"`rollbook serve` runs (process {pid}) and answers at port {port}",
    )
    [(result, what)] = found.parts["certificate"]
    assert (result, what.endswith(f"(CURL_CA_BUNDLE={installed}/certificate.pem)")) == ("ok", True)
    assert found.results("worker") == ["ok"]


@pytest.mark.only_on("sqlite")
@pytest.mark.process
def test_without_one_that_is_a_warning_where_it_does_the_work(installed: Path) -> None:
    assert doctor(installed).parts["server"] == [
        ("warning", "no `rollbook serve` runs on this data folder")
    ]


def test_where_many_machines_may_do_it_that_is_said(here: Here, settings: Namespace) -> None:
    settings.ON_POSTGRESQL = True
    [(mark, what)] = told(server.check(here()))
    assert (mark, what.endswith("web and worker may run elsewhere")) == (Level.OK, True)


@pytest.mark.process
def test_settings_that_differ_are_named_and_not_told(installed: Path) -> None:
    with serving(installed):
        found = doctor(installed, ROLLBOOK_SMTP_HOST="127.0.0.1", ROLLBOOK_SMTP_PASSWORD="s3cret")
    [(result, what)] = found.parts["server"]
    words = "the server was started with another ROLLBOOK_SMTP_HOST, ROLLBOOK_SMTP_PASSWORD than this command has"
    assert (result, what.startswith(words), "s3cret" in what) == ("warning", True, False)


def a_server(**said: object) -> server_process.Server:
    options = {
        "host": "127.0.0.1",
        "port": a_free_port(),
        "cert": None,
        "key": None,
        "behind_proxy": False,
    }
    return server_process.Server(os.getpid(), Namespace(**(options | said)), {}, Path("/srv"))


def test_one_that_does_not_answer_is_an_error(here: Here) -> None:
    ready = here()
    ready.server = a_server()
    [(mark, what)] = told(server.check(ready))
    assert (mark, "but does not answer OK at 127.0.0.1:" in what) == (Level.ERROR, True)


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
def test_a_lock_that_nobody_holds_is_of_a_server_that_has_gone(
    tmp_path: Path, written: str
) -> None:
    assert server_process.find(tmp_path) is None
    (tmp_path / "serve.lock").write_text(written)
    assert server_process.find(tmp_path) is None
    with held(tmp_path, "not a number"):
        assert server_process.find(tmp_path) == server_process.Server(None, None, None, None)


def test_the_certificate_that_the_server_was_given_is_the_one_that_is_looked_at(
    here: Here, tmp_path: Path
) -> None:
    ready = here()
    tls.certificate(ready.data, "localhost")
    server_of_its_own = a_server(cert=tmp_path / "gone.pem", key=tmp_path / "gone.key")
    ready.certificate = server_of_its_own.certificate
    [(mark, what)] = told(certificate.check(ready))
    assert (mark, what.startswith(f"{tmp_path}/gone.pem cannot be read")) == (Level.ERROR, True)
