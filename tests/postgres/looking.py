"""What the tests of the server look at: the answers to questions, and what is still there of it."""

import time
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.patience import TIMEOUT_S
from tests.postgres.guard import is_alive
from tests.postgres.server import Server


def ask(url: str, question: str) -> object:
    """The first value of the answer."""
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(question).fetchone()
    assert row
    return row[0]


@dataclass(frozen=True)
class Traces:
    """Processes and folders of a server, by which it can be looked for when it should be gone."""

    processes: list[int]
    folders: list[str]

    def left(self) -> list[object]:
        """What is still there of them."""
        alive = [pid for pid in self.processes if is_alive(pid)]
        return [
            *alive,
            *self.shared_memory(),
            *(folder for folder in self.folders if Path(folder).exists()),
        ]

    def left_after(self, seconds: float = TIMEOUT_S) -> list[object]:
        """What is still there of them when there was so much time to go."""
        deadline = time.monotonic() + seconds
        while self.left() and time.monotonic() < deadline:
            time.sleep(0.02)
        return self.left()

    def shared_memory(self) -> list[str]:
        """The System V segments that these processes made."""
        lines = Path("/proc/sysvipc/shm").read_text(encoding="ascii").splitlines()[1:]
        return [line for line in lines if int(line.split()[4]) in self.processes]


def traces(server: Server) -> Traces:
    """Of one that runs: its guard first, then its postmaster."""
    return Traces(
        [server._guard.pid, *server.processes()], [str(server.folder), str(server.sockets)]
    )
