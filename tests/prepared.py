"""A process with the packages imported, which forks for each task.

``python -m tests.prepared`` reads orders from its standard input, one JSON object a line. To an
order that names a module it answers with the number of a new process that runs it. To one that
names a process that has ended it answers with how it ended. Only the new process loads Django and
Rollbook's settings, in the environment of the order. When its input ends, the prepared process
ends and kills those that it has started, so that none outlives the test run.
"""

import atexit
import json
import os
import runpy
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[1]

TICK_S = 0.02

PACKAGES = (
    "argon2",
    "asyncio",
    "concurrent.futures",
    "cryptography.hazmat.primitives.ciphers.aead",
    "cryptography.x509",
    "django.core.management",
    "django.conf.urls.static",
    "django.contrib.auth.hashers",
    "django.contrib.postgres.fields",
    "django.contrib.staticfiles",
    "django.core.checks.registry",
    "django.core.mail",
    "django.db.backends.sqlite3.base",
    "django.db.migrations.autodetector",
    "django.db.models",
    "django.forms",
    "django.template",
    "django.test",
    "django.urls",
    "gunicorn.workers.gthread",
    "http.client",
    "importlib.metadata",
    "logging.config",
    "multiprocessing.process",
    "psycopg",
    "rollbook.studentfile.reading.reader",
    "rollbook.studentfile.row_validator",
    "segno",
    "smtplib",
    "sqlite3",
    "tqdm",
    "whitenoise",
)
"""What can be imported without settings."""


@dataclass(frozen=True)
class Done:
    """How a task ended: its exit code, negative for a signal, and what it wrote."""

    code: int
    out: str
    err: str


class Prepared:
    """The process as its tests use it."""

    def __init__(self) -> None:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("ROLLBOOK_", "DJANGO_"))
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.prepared"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=kept,
            text=True,
        )
        self._one_at_a_time = threading.Lock()

    def start(
        self,
        module: str,
        *arguments: str,
        environment: Mapping[str, str],
        stdin: Path | str = os.devnull,
        stdout: Path | str = os.devnull,
        stderr: Path | str = os.devnull,
        cwd: Path | None = None,
    ) -> "Task":
        """Begin to run a module as ``python -m`` would, in a session of its own.

        Args:
            module: The name of the module.
            arguments: Its arguments.
            environment: All variables of its environment.
            stdin: The file that is its standard input.
            stdout: The file to which its standard output is appended.
            stderr: The file to which its standard error is appended.
            cwd: Its working directory; None for that of the prepared process.
        """
        order = {
            "module": module,
            "arguments": arguments,
            "environment": dict(environment),
            "cwd": str(cwd or ""),
            "in": str(stdin),
            "out": str(stdout),
            "err": str(stderr),
        }
        return Task(self, self.ask(order))

    def run(
        self,
        module: str,
        *arguments: str,
        environment: Mapping[str, str],
        stdin: str = "",
        cwd: Path | None = None,
        kill_after_s: float | None = None,
    ) -> Done:
        """Run a module to its end, and return how it ended; see ``start``.

        Args:
            module: The name of the module.
            arguments: Its arguments.
            environment: All variables of its environment.
            stdin: What it reads from its standard input.
            cwd: Its working directory; None for that of the prepared process.
            kill_after_s: Seconds after which it is killed if it still runs.
        """
        with tempfile.TemporaryDirectory(prefix="rollbook-task-") as folder:
            given, out, err = Path(folder, "in"), Path(folder, "out"), Path(folder, "err")
            given.write_text(stdin, encoding="utf-8")
            task = self.start(
                module,
                *arguments,
                environment=environment,
                stdin=given,
                stdout=out,
                stderr=err,
                cwd=cwd,
            )
            if kill_after_s is not None:
                time.sleep(kill_after_s)
                task.kill()
            code = task.wait()
            return Done(code, out.read_text(encoding="utf-8"), err.read_text(encoding="utf-8"))

    def close(self) -> None:
        """End it."""
        self._process.communicate()

    def ask(self, order: Mapping[str, object]) -> int:
        """Give an order, and return the answer."""
        assert self._process.stdin
        assert self._process.stdout
        with self._one_at_a_time:
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
            return int(self._process.stdout.readline())


class Task:
    """A module that was started, with the methods of ``subprocess.Popen`` that tests use.

    The prepared process, which is its parent, waits for it only when it is asked how it ended, so
    until then its number is its own.
    """

    def __init__(self, parent: Prepared, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._parent = parent
        self._descriptor = os.pidfd_open(pid)

    def poll(self) -> int | None:
        """Return its exit code, negative for a signal, or None while it runs."""
        if self.returncode is None and self._has_ended(0):
            self._collect()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end, and return its exit code."""
        if self.returncode is None:
            if not self._has_ended(timeout):
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
            self._collect()
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it is known to have ended."""
        if self.returncode is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)

    def _has_ended(self, timeout: float | None) -> bool:
        waiting = select.poll()
        waiting.register(self._descriptor, select.POLLIN)
        return bool(waiting.poll(None if timeout is None else timeout * 1000))

    def _collect(self) -> None:
        self.returncode = self._parent.ask({"ended": self.pid})
        os.close(self._descriptor)


def read_lines(process: "Task | subprocess.Popen[bytes]", output: Path, count: int) -> str:
    """Return the file to which a process writes when it has so many lines or the process ended."""
    while True:
        has_ended = process.poll() is not None
        text = output.read_text(encoding="utf-8") if output.exists() else ""
        if has_ended or text.count("\n") >= count:
            return text
        time.sleep(TICK_S)


@cache
def prepared() -> Prepared:
    """Return the one of this test process."""
    process = Prepared()
    atexit.register(process.close)
    return process


def main() -> None:
    """Carry out orders until there are none."""
    for package in PACKAGES:
        import_module(package)
    running: set[int] = set()
    while line := sys.stdin.readline():
        order = json.loads(line)
        if "ended" in order:
            running.remove(order["ended"])
            _answer(os.waitstatus_to_exitcode(os.waitpid(order["ended"], 0)[1]))
            continue
        pid = os.fork()
        if not pid:
            _work(order)
        running.add(pid)
        _answer(pid)
    for pid in running:
        os.kill(pid, signal.SIGKILL)


def _answer(number: int) -> None:
    print(number, flush=True)


def _work(order: dict[str, object]) -> None:
    """Do it and end this process."""
    code = 1
    try:
        code = _run(order)
    except BaseException:
        traceback.print_exc()
    finally:
        with suppress(BaseException):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _run(order: dict[str, object]) -> int:
    """Run the module; returns the exit code."""
    environment, arguments = order["environment"], order["arguments"]
    assert isinstance(environment, dict)
    assert isinstance(arguments, list)
    os.setsid()
    os.environ.clear()
    os.environ.update(environment)
    _redirect(0, str(order["in"]), os.O_RDONLY)
    _redirect(1, str(order["out"]), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    _redirect(2, str(order["err"]), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    if order["cwd"]:
        os.chdir(str(order["cwd"]))
    sys.argv[1:] = arguments
    try:
        runpy.run_module(str(order["module"]), run_name="__main__", alter_sys=True)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(bool(end.code))
    return 0


def _redirect(descriptor: int, path: str, flags: int) -> None:
    opened = os.open(path, flags, 0o600)
    os.dup2(opened, descriptor)
    os.close(opened)


if __name__ == "__main__":
    main()
