"""``rollbook serve``: web and worker together, started again when they die, stopped together.

The supervisor holds what must outlive them: the lock on the data folder, the listening socket (while the web server
starts again, a client waits a second and is not turned away) and the lifeline.
"""

import fcntl
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue

from rollbook import environment
from rollbook.accounts.key_fingerprints import KeysDoNotMatch
from rollbook.db.schema_version import DatabaseIsNewer
from rollbook.server import parent_watch, tls
from rollbook.server.child_process import Child
from rollbook.server.gunicorn_app import LISTENER, Address
from rollbook.server.listener import ListenError, listen
from rollbook.server.readiness import WILDCARD_HOSTS, is_ready
from rollbook.server.startup import prepare
from rollbook.server.tls import Certificate, CertificateProblem

STOPPING_SECONDS = 10.0
CHECK_INTERVAL_S = 0.1  # seconds between two looks at the children


class AlreadyServed(Exception):
    """Another ``rollbook serve`` looks after the data folder; the text says which and what to do."""


def serve(
    data: Path,
    address: Address,
    *,
    certificate: Path | None = None,
    key: Path | None = None,
    behind_proxy: bool = False,
) -> int:
    """Serve until told to stop; 0 then, 1 with the reason on stderr if it cannot start.

    1. Take the data folder, which only one can look after.
    2. Take the address.
    3. Have a certificate, unless a proxy has one.
    4. Prepare the database and the spool folder.
    5. Start web and worker, say when they are ready, and look after them.
    6. Stop them, at the first signal kindly, at the second at once.
    """
    try:
        with _only_one(data), listen(address) as listener:
            address = Address(address.host, listener.getsockname()[1])
            used = None if behind_proxy else _certificate(data, address.host, certificate, key)
            prepare()
            with _children(data, address, used, listener.fileno()) as children:
                told = _signals()
                _supervise(children, told, _Announcement(address, behind_proxy))
                listener.close()  # who comes now is told at once that nobody is here
                _stop(children, told)
    except (
        AlreadyServed,
        ListenError,
        CertificateProblem,
        DatabaseIsNewer,
        KeysDoNotMatch,
    ) as problem:
        print(f"ERROR cannot_start: {problem}", file=sys.stderr)
        return 1
    return 0


@contextmanager
def _only_one(data: Path) -> Iterator[None]:
    """Hold the data folder; the kernel lets go of it however this process ends."""
    with (data / "serve.lock").open("a+", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise AlreadyServed(
                f"another `rollbook serve` (process {file.read().strip() or 'unknown'}) serves {data} already; "
                "stop it, or choose another folder with --data"
            ) from None
        file.truncate(0)
        print(os.getpid(), file=file, flush=True)
        yield


def _certificate(data: Path, host: str, chain: Path | None, key: Path | None) -> Certificate:
    if chain and key:
        return tls.given(chain, key)
    if chain or key:
        raise CertificateProblem(
            "a certificate needs its key and a key its certificate; give both --cert and --key"
        )
    return tls.certificate(data, host)


@contextmanager
def _children(
    data: Path, address: Address, used: Certificate | None, listener: int
) -> Iterator[list[Child]]:
    end, ours = os.pipe()
    ours_alone = {environment.DATA.name: str(data), parent_watch.VARIABLE: str(end)}
    variables = (
        {environment.URL.name: _url(address, behind_proxy=not used)} | os.environ | ours_alone
    )
    for_web = {LISTENER: str(listener), environment.BEHIND_PROXY.name: "0" if used else "1"}
    arguments = ["web", "--host", address.host, "--port", str(address.port)]
    arguments += ["--cert", str(used.chain), "--key", str(used.key)] if used else ["--behind-proxy"]
    try:
        yield [
            Child("web", arguments, variables | for_web, [end, listener]),
            Child("worker", ["worker"], variables, [end]),
        ]
    finally:
        os.close(ours)
        os.close(end)


def _signals() -> "SimpleQueue[int]":
    """Where the signals that tell us to stop will be found."""
    told: SimpleQueue[int] = SimpleQueue()  # the one queue that a signal handler may use
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, frame: told.put(number))
    return told


def _should_stop(told: "SimpleQueue[int]") -> bool:
    """Wait a moment for a signal."""
    try:
        told.get(timeout=CHECK_INTERVAL_S)
    except Empty:
        return False
    return True


@dataclass
class _Announcement:
    """The one line on stdout, when it has become true."""

    address: Address
    behind_proxy: bool
    made: bool = False

    def make(self) -> None:
        if not self.made and is_ready(self.address, behind_proxy=self.behind_proxy):
            self.made = True
            print(
                f"Rollbook is ready at {_url(self.address, behind_proxy=self.behind_proxy)}",
                flush=True,
            )


def _url(address: Address, *, behind_proxy: bool) -> str:
    host = "localhost" if address.host in WILDCARD_HOSTS else address.host
    return f"{'http' if behind_proxy else 'https'}://{Address(host, address.port)}/"


def _supervise(
    children: list[Child], told: "SimpleQueue[int]", announcement: _Announcement
) -> None:
    while not _should_stop(told):
        for child in children:
            child.supervise()
        announcement.make()


def _stop(children: list[Child], told: "SimpleQueue[int]") -> None:
    deadline = time.monotonic() + STOPPING_SECONDS
    for child in children:
        child.signal(signal.SIGTERM)
    while left := [child for child in children if not child.has_ended()]:
        if _should_stop(told) or time.monotonic() > deadline:
            for child in left:
                child.signal_group(signal.SIGKILL)
