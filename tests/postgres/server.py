"""A PostgreSQL server for tests and benchmark, removed when the process that started it ends.

Other accounts on the machine have no access: its folders are private, and every connection by
socket or port needs a random password (scram).

``python -m tests.postgres.server [FOLDER] [--durable] [--tcp]`` starts one, prints the URL of an
empty database, and serves until SIGTERM or Ctrl-C.
"""

import argparse
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import sql

from tests.postgres import PostgresProblem, account, binaries
from tests.postgres.guard import children, is_alive, standing

OWNER = "rollbook"  # may make databases and no more, as in a district's own installation
SUPERUSER = "postgres"
PORT = 5432  # of a socket it is only a part of the name
SOCKET_NAME = "/.s.PGSQL.65535"
LONGEST_SOCKET = 107  # bytes, of Linux
LOOPBACK = "127.0.0.1"
STARTING = 120.0  # seconds, recovery included
TICK = 0.01

STILL = ("T", "Z")  # stopped, or ended while the postmaster could not wait for it
STOPS = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}

# If available, a collation that does not sort by bytes.
LOCALES = (
    ("--locale-provider=icu", "--icu-locale=en-US", "--locale=C.UTF-8"),
    ("--locale=en_US.UTF-8",),
    ("--locale=C.UTF-8",),
)

# Shared memory in files of the data folder, so a killed postmaster leaves none in /dev/shm.
ALWAYS = {"dynamic_shared_memory_type": "mmap", "lc_messages": "C", "log_line_prefix": "%m [%p] "}

# Only a power failure could lose commits: they are still passed to the kernel before they are
# acknowledged (synchronous_commit stays on), so stop("immediate") and kill -9 lose none.
QUICK = {"fsync": "off", "full_page_writes": "off", "jit": "off"}


class Server:
    """A server on a new data folder, which runs until ``close``.

    ``folder`` selects the disk (the data are in a new folder in it); otherwise it is a temporary
    one. ``durable`` keeps PostgreSQL's default settings, which survive power failures; the quick
    ones survive kills. With ``tcp`` it also listens on ``port`` of the loopback address.
    ``ordered`` prefers binaries with language collations, the harder case for Rollbook.
    ``settings`` are
    additional settings of PostgreSQL. Raises PostgresProblem.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        durable: bool = False,
        tcp: bool = False,
        ordered: bool = False,
        settings: Mapping[str, object] | None = None,
    ) -> None:
        self.binaries = binaries.find(ordered=ordered)
        self.account = account.of_the_server()
        self.folder = account.own_folder(self.account, [folder] if folder else account.places())
        self.sockets = account.own_folder(
            self.account, account.places(), LONGEST_SOCKET - len(SOCKET_NAME)
        )
        self.data, self.log = self.folder / "data", self.folder / "log"
        self.port = _free_port() if tcp else PORT
        self.settings = self._always(tcp) | ({} if durable else QUICK) | dict(settings or {})
        self.password = secrets.token_urlsafe()
        self.pid = 0
        self._guard = self._a_guard()
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    def url(self, database: str = SUPERUSER, *, user: str = OWNER, port: int | None = None) -> str:
        """Return a DATABASE_URL by the socket, or by a loopback port, its own or a proxy's."""
        host = f"{LOOPBACK}:{port}" if port else ""
        query = "" if port else f"?host={quote(str(self.sockets), safe='')}&port={self.port}"
        return f"postgres://{user}:{self.password}@{host}/{quote(database, safe='')}{query}"

    def create_database(self, name: str, like: str = "template1") -> str:
        """Create a database of ``OWNER``, empty or a copy of an unused one; return its URL.

        A checkpoint follows. Without one, PostgreSQL assumes that the next values of a copied
        sequence are logged, which is true of the other database only, and repeats them after an
        immediate stop.
        """
        self._do(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(like)
            ),
            OWNER,
        )
        self._do(sql.SQL("CHECKPOINT").format())
        return self.url(name)

    def start(self) -> None:
        """Restart on the same data and URL after ``stop`` or a kill, and wait until it responds."""
        given = [f"{name}={value}" for name, value in self.settings.items()]
        options = [word for one in given for word in ("-c", one)]
        self.pid = self._ask(
            "start", [str(self.binaries / "postgres"), "-D", str(self.data), *options]
        )
        deadline = time.monotonic() + STARTING
        while not self._is_ready():
            if not is_alive(self.pid) or time.monotonic() > deadline:
                raise PostgresProblem(
                    f"the PostgreSQL of the tests did not start:\n{self._last_words()}"
                )
            time.sleep(TICK)

    def stop(self, mode: str = "fast") -> None:
        """Stop it, frozen or not; the modes are those of pg_ctl: smart, fast, immediate."""
        if not self._ask("stop", int(STOPS[mode])):
            raise PostgresProblem(
                f"the PostgreSQL of the tests had to be killed ({mode}):\n{self._last_words()}"
            )
        self.pid = 0

    def processes(self) -> list[int]:
        """The postmaster and its children."""
        return [self.pid, *children(self.pid)] if is_alive(self.pid) else []

    def freeze(self) -> None:
        """SIGSTOP to the whole server, until all of it stands still."""
        while any(standing(pid)[0] not in STILL for pid in self.processes()):
            self._tell(signal.SIGSTOP)
            time.sleep(TICK)

    def thaw(self) -> None:
        """Let a frozen server go on."""
        self._tell(signal.SIGCONT)

    def close(self) -> None:
        """Stop it, however it stands, and remove all that is of it."""
        if self._guard.stdin and not self._guard.stdin.closed:
            self._guard.communicate()  # closes the pipe, for which the guard waits
            if self._guard.returncode:
                raise PostgresProblem(
                    "the guard of the PostgreSQL of the tests ended "
                    f"with {self._guard.returncode}; "
                    f"see what is left in {self.folder} and {self.sockets}, and remove it"
                )

    def _always(self, tcp: bool) -> dict[str, object]:
        where = {
            "listen_addresses": LOOPBACK if tcp else "",
            "unix_socket_directories": self.sockets,
        }
        return ALWAYS | where | {"port": self.port}

    def _a_guard(self) -> "subprocess.Popen[str]":
        fields = {
            "owner": os.getpid(),
            "data": str(self.data),
            "log": str(self.log),
            "folders": [str(self.folder), str(self.sockets)],
            "options": self.account.options,
        }
        return subprocess.Popen(
            [
                sys.executable,
                "-I",
                "-S",
                str(Path(__file__).with_name("guard.py")),
                json.dumps(fields),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd="/",
            env={
                name: value
                for name, value in os.environ.items()
                if not name.startswith(("PG", "LC_", "LANG"))
            },
            start_new_session=True,  # Ctrl-C in a terminal is for its owner
        )

    def _ask(self, name: str, about: object) -> Any:
        """Give the guard an order, and wait for its answer."""
        assert self._guard.stdin
        assert self._guard.stdout
        try:
            print(json.dumps([name, about]), file=self._guard.stdin, flush=True)
            answer = self._guard.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            raise PostgresProblem(
                f"the guard of the PostgreSQL of the tests has died:\n{self._last_words()}"
            )
        return json.loads(answer)

    def _prepare(self) -> None:
        self.binaries = binaries.reachable(self.binaries, self.account, self.folder / "binaries")
        self._init()
        self.start()
        self._do(
            sql.SQL("CREATE ROLE {} LOGIN CREATEDB PASSWORD {}").format(
                sql.Identifier(OWNER), self.password
            )
        )

    def _init(self) -> None:
        secret = self.folder / "password"
        secret.touch(0o600)
        secret.write_text(self.password, encoding="ascii")
        self.account.take(secret)
        if not any(self._ask("run", self._initdb(secret, locale)) == 0 for locale in LOCALES):
            raise PostgresProblem(f"initdb of {self.binaries} failed:\n{self._last_words()}")

    def _initdb(self, secret: Path, locale: Sequence[str]) -> list[str]:
        how = [
            f"--username={SUPERUSER}",
            f"--pwfile={secret}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--no-sync",
        ]
        return [str(self.binaries / "initdb"), f"--pgdata={self.data}", *how, *locale]

    def _is_ready(self) -> bool:
        """Return whether the postmaster's own file says so; an older file names another process."""
        try:
            lines = (self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except OSError:
            return False
        return lines[:1] == [str(self.pid)] and lines[7:] == ["ready   "]

    def _do(self, command: sql.Composed, user: str = SUPERUSER) -> None:
        with psycopg.connect(self.url(user=user), autocommit=True) as connection:
            connection.execute(command)

    def _tell(self, number: int) -> None:
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def _last_words(self) -> str:
        try:
            return "\n".join(
                self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-20:]
            )
        except OSError:
            return "(it left no log)"


def _free_port() -> int:
    with socket.create_server((LOOPBACK, 0)) as probe:
        return int(probe.getsockname()[1])


@contextmanager
def running_server(
    folder: Path | None = None, *, durable: bool = False, **more: Any
) -> Iterator[Server]:
    """A ``Server``, closed at the end."""
    server = Server(folder, durable=durable, **more)
    try:
        yield server
    finally:
        server.close()


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.postgres.server", description="Serve until told to stop."
    )
    parser.add_argument(
        "folder", nargs="?", type=Path, help="where its data are to be; else in a temporary folder"
    )
    parser.add_argument(
        "--durable", action="store_true", help="survive power cuts, with PostgreSQL's own settings"
    )
    parser.add_argument(
        "--tcp", action="store_true", help="print the URL of a loopback port, not of a socket"
    )
    asked = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, frame: sys.exit(0))
    try:
        with running_server(asked.folder, durable=asked.durable, tcp=asked.tcp) as server:
            server.create_database(OWNER)
            print(server.url(OWNER, port=server.port if asked.tcp else None), flush=True)
            while True:
                signal.pause()
    except PostgresProblem as problem:
        sys.exit(f"ERROR cannot_start: {problem}")


if __name__ == "__main__":
    main()
