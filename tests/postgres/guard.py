"""The guard of a test's PostgreSQL: starts and stops the server, even if the test run is killed.

Nothing in the test run survives its SIGKILL, so this process owns the server. It notices the end of
the test run in two ways: the pipe of its orders is closed, and its parent process id changes (a
forked child of the test run may keep the pipe open). What the postmaster leaves behind becomes a
child of the guard (their subreaper), which kills it and waits for it. If the guard is killed,
the kernel stops the postmaster.

It needs only Python: ``python guard.py FIELDS``, with ``Guard``'s fields as JSON. An order is a
line of JSON with its name and argument; the answer is another line.
"""

import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_LIBC = ctypes.CDLL(None)
_SET_DEATH_SIGNAL = 1  # prctl
_SET_CHILD_SUBREAPER = 36  # prctl
_REMOVE = 0  # shmctl's IPC_RMID

LOOK = 0.5  # seconds between two looks at the parent's number
PREPARING = 300.0  # seconds that initdb may take
STOP_TIMEOUT_S = 60.0
LAST_STOP_TIMEOUT_S = 8.0  # at the end; a postmaster kills its own children after five seconds


def children(parent: int) -> list[int]:
    """The processes whose parent it is, dead ones that nobody has waited for included."""
    found = (int(folder.name) for folder in Path("/proc").glob("[0-9]*"))
    return [pid for pid in found if standing(pid)[1] == parent]


def is_alive(pid: int) -> bool:
    """Whether it runs or could; one that has ended and that nobody has waited for does not."""
    return standing(pid)[0] not in ("", "Z")


def standing(pid: int) -> tuple[str, int]:
    """Return the state letter and the parent of a process from /proc; ("", 0) if there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return "", 0
    state, parent = text.rpartition(")")[2].split()[
        :2
    ]  # the name before it may have blanks and brackets
    return state, int(parent)


@dataclass
class Guard:
    """One data folder, and at most one postmaster on it."""

    owner: int  # the process that it must not outlive
    data: str
    log: str  # where PostgreSQL's words go
    folders: Sequence[str]  # removed at the end
    options: dict[str, Any]  # of subprocess: who PostgreSQL runs as
    postmaster: "subprocess.Popen[bytes] | None" = None

    def obey(self) -> None:
        """Do as told until the owner is gone."""
        known: dict[str, Callable[[Any], int]] = {
            "run": self.run,
            "start": self.start,
            "stop": self.stop,
        }
        for name, about in self._orders():
            os.write(1, json.dumps(known[name](about)).encode() + b"\n")

    def run(self, command: Sequence[str]) -> int:
        """Run it to its end; returns its exit code."""
        return self._popen(command).wait(PREPARING)

    def start(self, command: Sequence[str]) -> int:
        """Start a postmaster, after all that is left of the one before; returns its number."""
        self._bury()
        self.postmaster = self._popen(command)
        return self.postmaster.pid

    def stop(self, number: int, seconds: float = STOP_TIMEOUT_S) -> bool:
        """Stop it with this signal, frozen or not; False if it had to be killed."""
        if self.postmaster is None:
            return True
        self.postmaster.send_signal(number)
        for pid in (self.postmaster.pid, *children(self.postmaster.pid)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        try:
            self.postmaster.wait(seconds)
            return True
        except subprocess.TimeoutExpired:
            return False
        finally:
            self._bury()
            self.postmaster = None

    def end(self) -> None:
        """Leave no process, no shared memory and no folder."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        self.stop(signal.SIGQUIT, LAST_STOP_TIMEOUT_S)
        self._bury()
        self._forget_shared_memory()
        for folder in filter(os.path.exists, self.folders):
            shutil.rmtree(folder)

    def _orders(self) -> Iterator[tuple[str, Any]]:
        received = b""
        while os.getppid() == self.owner:
            if not select.select([0], [], [], LOOK)[0]:
                continue
            more = os.read(0, select.PIPE_BUF)
            if not more:
                return
            received += more
            if received.endswith(
                b"\n"
            ):  # whoever gave the order waits for the answer: nothing comes after it
                name, about = json.loads(received)
                yield name, about
                received = b""

    def _popen(self, command: Sequence[str]) -> "subprocess.Popen[bytes]":
        with Path(self.log).open("ab") as log:
            return subprocess.Popen(
                command,
                cwd="/",  # where everybody may be
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=_die_with(os.getpid()),
                **self.options,
            )

    def _bury(self) -> None:
        """Kill what is left. Its children then are ours, so go on until there is none."""
        while True:
            for pid in children(os.getpid()):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            try:
                if os.waitpid(-1, os.WNOHANG) == (0, 0):
                    time.sleep(0.005)
            except ChildProcessError:
                return

    def _forget_shared_memory(self) -> None:
        """Remove the shared memory segment of a killed postmaster, if it is still the same one."""
        with suppress(OSError, ValueError, IndexError):
            lines = Path(self.data, "postmaster.pid").read_text(encoding="utf-8").splitlines()
            key, segment = map(int, lines[6].split())
            if _LIBC.shmget(key, 0, 0) == segment:
                _LIBC.shmctl(segment, _REMOVE, None)


def _die_with(guard: int) -> Callable[[], None]:
    """Set up a new process before exec: it stops as soon as the guard's only thread has ended.

    ``subprocess`` calls it after it has changed the user, which would have undone it.
    """

    def promise() -> None:
        _LIBC.prctl(_SET_DEATH_SIGNAL, int(signal.SIGQUIT), 0, 0, 0)
        if os.getppid() != guard:
            os._exit(1)

    return promise


def main() -> None:
    guard = Guard(**json.loads(sys.argv[1]))
    _LIBC.prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda number, frame: sys.exit(0))
    try:
        with suppress(BrokenPipeError):  # the owner is gone
            guard.obey()
    finally:
        guard.end()


if __name__ == "__main__":
    main()
