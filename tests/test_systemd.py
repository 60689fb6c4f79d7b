"""Notifications of systemd, to a socket like that of systemd."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from rollbook import systemd


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        yield sock


@pytest.mark.parametrize("is_abstract", [False, True])
def test_a_state_is_sent(
    manager: socket.socket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_abstract: bool
) -> None:
    path = str(tmp_path / "notify")
    manager.bind(f"\0{path}" if is_abstract else path)
    monkeypatch.setenv("NOTIFY_SOCKET", f"@{path}" if is_abstract else path)
    systemd.notify(systemd.READY)
    assert manager.recv(100) == b"READY=1"


def test_without_systemd_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    monkeypatch.delattr(systemd, "socket")
    systemd.notify(systemd.READY)


def test_a_manager_that_is_gone_or_does_not_read_blocks_nobody(
    manager: socket.socket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    systemd.notify(systemd.READY)
    manager.bind(str(tmp_path / "notify"))
    for _ in range(1000):
        systemd.notify(systemd.WATCHDOG)
    assert manager.recv(100) == b"WATCHDOG=1"


def test_pings_are_sent_at_most_once_a_second(
    manager: socket.socket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager.bind(str(tmp_path / "notify"))
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    watchdog = systemd.Watchdog()
    for _ in range(3):
        watchdog.ping()
    assert manager.recv(100) == b"WATCHDOG=1"
    with pytest.raises(BlockingIOError):
        manager.recv(100)
