"""The address is taken, or told why not."""

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


def test_port_0_takes_a_free_one() -> None:
    with listen(Address("127.0.0.1", 0)) as listener:
        assert listener.getsockname()[1] > 0


def test_a_name_is_an_address_too() -> None:
    with listen(Address("localhost", 0)) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
def test_everywhere_in_ipv6_is_everywhere_in_ipv4_too() -> None:
    with listen(Address("::", 0)) as listener:
        socket.create_connection(("127.0.0.1", listener.getsockname()[1])).close()


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (
            OSError(errno.EACCES, "Permission denied"),
            "port 443 needs rights this user does not have",
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
def test_every_reason_has_its_advice(
    monkeypatch: pytest.MonkeyPatch, error: OSError, advice: str
) -> None:
    monkeypatch.setattr(server_listener, "_listen", raising(error))
    with pytest.raises(ListenError) as told:
        listen(Address("maple.example", 443))
    assert str(told.value).startswith(advice)


def test_a_port_that_is_being_let_go_of_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    attempts = iter([True, True, False])
    real = server_listener._listen

    def attempt(address: Address) -> socket.socket:
        if next(attempts):
            raise OSError(errno.EADDRINUSE, "Address already in use")
        return real(address)

    monkeypatch.setattr(server_listener, "_listen", attempt)
    listen(Address("127.0.0.1", 0)).close()
