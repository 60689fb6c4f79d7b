"""``rollbook serve``: starts web server and worker, restarts them when they end, and stops both.

The supervisor holds what must outlive them: the lock on the data folder, the listening socket
(clients that connect while the web server restarts wait a second and aren't refused), and the pipe
of ``parent_watch``.
"""

import fcntl
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from urllib.parse import urlsplit

from rollbook import environment, systemd
from rollbook.accounts.installation_id import WrongDatabase
from rollbook.accounts.key_fingerprints import KeysDoNotMatch
from rollbook.db.migrating import MigrationFailed
from rollbook.exit_codes import FAILED, NEWER_DATABASE, OK
from rollbook.server import parent_watch, tls
from rollbook.server.child_process import Child
from rollbook.server.gunicorn_app import LISTENER, Address, Endpoint, UnixSocket
from rollbook.server.listener import ListenError, listening
from rollbook.server.readiness import WILDCARD_HOSTS, is_ready
from rollbook.server.startup import prepare
from rollbook.server.tls import Certificate, CertificateProblem
from rollbook.server.worker_progress import WorkerProgress, limits_from_environment

STOP_TIMEOUT_S = 10.0
CHECK_INTERVAL_S = 0.1  # between two checks of the child processes
WEB, WORKER = "web", "worker"

log = logging.getLogger(__name__)


class AlreadyServed(Exception):
    """Another ``rollbook serve`` uses the data folder; the text says which and how to fix it."""


START_PROBLEMS = (
    AlreadyServed,
    ListenError,
    CertificateProblem,
    KeysDoNotMatch,
    MigrationFailed,
    WrongDatabase,
)
"""Why ``serve`` can't start; their texts say how to fix it."""


def serve(
    data: Path,
    address: Endpoint,
    *,
    certificate: Path | None = None,
    key: Path | None = None,
    behind_proxy: bool = False,
) -> int:
    """Serve until stopped by a signal: gracefully at the first one, immediately at the second.

    SIGHUP reloads the certificate.

    1. Lock the data folder, which only one process may serve.
    2. Open the listening socket.
    3. Load or create the certificate, unless a proxy terminates TLS.
    4. Prepare the database and the spool folder.
    5. Start web server and worker, announce when they are ready, and restart them when they end.

    Args:
        data: The data folder.
        address: Where to listen.
        certificate: The operator's certificate, in PEM; None for a self-signed one.
        key: The private key of ``certificate``.
        behind_proxy: Whether a proxy terminates TLS.

    Returns:
        The exit code: OK, FAILED with the reason on stderr if it can't start, or NEWER_DATABASE
        if a newer version has migrated the database meanwhile.

    Raises:
        DatabaseIsNewer: A newer version of Rollbook has changed the database.
    """
    try:
        with _data_folder_lock(data), listening(address) as listener:
            used, renew = None, None
            if isinstance(address, Address):
                address = Address(address.host, listener.getsockname()[1])
                if not behind_proxy:
                    renew = partial(_certificate, data, address.host, certificate, key)
                    used = renew()
            prepare()
            return _run(data, address, used, listener, renew)
    except START_PROBLEMS as problem:
        print(f"ERROR cannot_start: {problem}", file=sys.stderr)
        return FAILED


def _run(
    data: Path,
    address: Endpoint,
    used: Certificate | None,
    listener: socket.socket,
    renew: Callable[[], Certificate] | None,
) -> int:
    """Supervise web server and worker until a signal or a newer database, then stop them."""
    with _children(data, address, used, listener.fileno()) as children:
        signals = _handle_signals()
        _supervise(children, signals, _Announcement(address, behind_proxy=not used), renew)
        listener.close()  # new clients are refused right away
        _stop(children, signals)
    return NEWER_DATABASE if _is_database_newer(children) else OK


@contextmanager
def _data_folder_lock(data: Path) -> Iterator[None]:
    """Lock the data folder; the kernel releases the lock however this process ends."""
    with (data / "serve.lock").open("a+", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            pid = file.read().strip() or "unknown"
            raise AlreadyServed(
                f"another `rollbook serve` (process {pid}) already serves {data}; "
                "stop it, or choose another folder with --data"
            ) from None
        file.truncate(0)
        print(os.getpid(), file=file, flush=True)
        yield


def _certificate(data: Path, host: str, chain: Path | None, key: Path | None) -> Certificate:
    """Return the operator's certificate, or a self-signed one for ROLLBOOK_URL and ``host``."""
    if chain and key:
        return tls.load_certificate(chain, key)
    if chain or key:
        raise CertificateProblem("a certificate needs its private key; use both --cert and --key")
    return tls.self_signed_certificate(data, host, urlsplit(environment.URL.read()).hostname or "")


@contextmanager
def _children(
    data: Path, address: Endpoint, used: Certificate | None, listener: int
) -> Iterator[list[Child]]:
    read_end, write_end = os.pipe()
    progress = WorkerProgress(limits_from_environment())
    always = {environment.DATA.name: str(data), parent_watch.VARIABLE: str(read_end)}
    variables = {name: os.environ[name] for name in os.environ.keys() - systemd.VARIABLES}
    variables |= always
    if isinstance(address, Address):
        variables.setdefault(environment.URL.name, _url(address, behind_proxy=not used))
    for_worker = {environment.PROGRESS: str(progress.write_end)}
    for_web = {LISTENER: str(listener), environment.BEHIND_PROXY.name: "0" if used else "1"}
    arguments = [WEB, *_options(address)]
    arguments += ["--cert", str(used.chain), "--key", str(used.key)] if used else ["--behind-proxy"]
    try:
        yield [
            Child(WEB, arguments, variables | for_web, [read_end, listener]),
            Child(
                WORKER,
                [WORKER],
                variables | for_worker,
                [read_end, progress.write_end],
                progress=progress,
            ),
        ]
    finally:
        progress.close()
        os.close(write_end)
        os.close(read_end)


def _options(address: Endpoint) -> list[str]:
    if isinstance(address, UnixSocket):
        return ["--socket", str(address.path)]
    return ["--host", address.host, "--port", str(address.port)]


def _handle_signals() -> "SimpleQueue[int]":
    """Handle SIGTERM, SIGINT and SIGHUP; return the queue that the handler puts them into."""
    signals: SimpleQueue[int] = SimpleQueue()  # the one queue that is safe in signal handlers
    had_terminal = os.isatty(sys.stderr.fileno())

    def handle(number: int, frame: object) -> None:
        # If the terminal is gone, nobody can stop this process with Ctrl-C.
        is_gone = had_terminal and not os.isatty(sys.stderr.fileno())
        signals.put(signal.SIGTERM if is_gone else number)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, handle)
    return signals


def _next_signal(signals: "SimpleQueue[int]") -> int | None:
    """Return the signal that arrives before the next check, if there is one."""
    try:
        return signals.get(timeout=CHECK_INTERVAL_S)
    except Empty:
        return None


@dataclass
class _Announcement:
    """The one line on stdout, printed when Rollbook is ready."""

    address: Endpoint
    behind_proxy: bool
    is_made: bool = False

    def make(self) -> None:
        if self.is_made or not is_ready(self.address, behind_proxy=self.behind_proxy):
            return
        self.is_made = True
        systemd.notify(systemd.READY)
        url = _url(self.address, behind_proxy=self.behind_proxy)
        print(f"Rollbook is ready at {url}", flush=True)


def _url(address: Endpoint, *, behind_proxy: bool) -> str:
    if isinstance(address, UnixSocket):
        return str(address)
    host = "localhost" if address.host in WILDCARD_HOSTS else address.host
    return f"{'http' if behind_proxy else 'https'}://{Address(host, address.port)}/"


def _supervise(
    children: list[Child],
    signals: "SimpleQueue[int]",
    announcement: _Announcement,
    renew: Callable[[], Certificate] | None,
) -> None:
    watchdog = systemd.Watchdog()
    while not _is_database_newer(children):
        number = _next_signal(signals)
        if number not in (None, signal.SIGHUP):
            return
        if number and renew:
            _reload_certificate(children, renew)
        for child in children:
            child.supervise()
        watchdog.ping()
        announcement.make()


def _is_database_newer(children: list[Child]) -> bool:
    """Return whether a child has ended because it is too old for the database, as we are."""
    return any(child.found_newer_database for child in children)


def _reload_certificate(children: list[Child], renew: Callable[[], Certificate]) -> None:
    """Have the web server load the certificate again; renew a self-signed one that expires soon."""
    try:
        renew()
    except (CertificateProblem, OSError) as problem:
        log.error("the certificate is not reloaded, so the previous one stays: %s", problem)
        return
    for child in children:
        if child.name == WEB:
            child.signal(signal.SIGHUP)


def _stop(children: list[Child], signals: "SimpleQueue[int]") -> None:
    deadline = time.monotonic() + STOP_TIMEOUT_S
    for child in children:
        child.signal(signal.SIGTERM)
    while running := [child for child in children if not child.has_ended()]:
        is_second = _next_signal(signals) not in (None, signal.SIGHUP)
        if is_second or time.monotonic() > deadline:
            for child in running:
                child.signal_group(signal.SIGKILL)
