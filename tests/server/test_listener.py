"""The listening socket is opened, or the error says how to fix the problem."""

import errno
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from rollbook.server import listener as server_listener
from rollbook.server.gunicorn_app import Address, UnixSocket
from rollbook.server.listener import ListenError, listen, listening


def raising(error: OSError) -> Callable[[Address], socket.socket]:
    def attempt(address: Address) -> socket.socket:
        raise error

    return attempt


def test_port_0_uses_a_free_port() -> None:
    with listen(Address("127.0.0.1", 0)) as listener:
        assert listener.getsockname()[1] > 0


def test_a_host_name_is_accepted() -> None:
    with listen(Address("localhost", 0)) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
def test_the_ipv6_wildcard_includes_ipv4() -> None:
    with listen(Address("::", 0)) as listener:
        socket.create_connection(("127.0.0.1", listener.getsockname()[1])).close()


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (
            OSError(errno.EACCES, "Permission denied"),
            "this user doesn't have permission to use port 443",
        ),
        (
            OSError(errno.EADDRNOTAVAIL, "Cannot assign"),
            "maple.example is not an address of this machine",
        ),
        (
            socket.gaierror(socket.EAI_NONAME, "unknown"),
            "maple.example is not an address of this machine",
        ),
        (
            OSError(errno.EMFILE, "Too many open files"),
            "cannot listen on maple.example:443: Too many open files",
        ),
    ],
)
def test_every_cause_has_advice(
    monkeypatch: pytest.MonkeyPatch, error: OSError, advice: str
) -> None:
    monkeypatch.setattr(server_listener, "_listen", raising(error))
    with pytest.raises(ListenError) as raised:
        listen(Address("maple.example", 443))
    assert str(raised.value).startswith(advice)


def test_it_waits_for_a_port_that_is_being_released(monkeypatch: pytest.MonkeyPatch) -> None:
    attempts = iter([True, True, False])
    real = server_listener._listen

    def attempt(address: Address) -> socket.socket:
        if next(attempts):
            raise OSError(errno.EADDRINUSE, "Address already in use")
        return real(address)

    monkeypatch.setattr(server_listener, "_listen", attempt)
    listen(Address("127.0.0.1", 0)).close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "web.sock"


def test_a_unix_socket_is_for_owner_and_group_and_removed_at_the_end(path: Path) -> None:
    with listening(UnixSocket(path)):
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
    assert not path.exists()


def test_the_path_that_a_killed_server_left_is_used_again(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(path))
    with listening(UnixSocket(path)), socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))


def test_a_path_in_use_and_a_file_are_refused(path: Path, tmp_path: Path) -> None:
    with (
        listening(UnixSocket(path)),
        pytest.raises(ListenError, match=f"another program listens on {path}"),
        listening(UnixSocket(path)),
    ):
        pass
    file = tmp_path / "students.csv"
    file.write_text("STUDENT_ID\n")
    with pytest.raises(ListenError, match="is a file and not a socket"):
        listen(UnixSocket(file))
    assert file.read_text() == "STUDENT_ID\n"


@pytest.mark.parametrize("name", ["missing/web.sock", "x" * 200])
def test_a_path_that_cannot_be_created_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ListenError, match=r"cannot create the Unix socket .*; name another path"):
        listen(UnixSocket(tmp_path / name))
