"""The listening socket is opened, or the error says how to fix the problem."""

import errno
import socket
from collections.abc import Callable

import pytest

from rollbook.server import listener as server_listener
from rollbook.server.gunicorn_app import Address
from rollbook.server.listener import ListenError, listen


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
