"""A process with the packages imported, which forks for each task.

``python -m tests.prepared`` reads orders from its standard input, one JSON object a line. It
answers with the number of the new process and, after another line of input, with how that process
ended. Only the new process loads Django and Rollbook's settings, in the environment of the order.
The process ends when its input does, so that it does not outlive the test run.
"""

import atexit
import json
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[1]

PACKAGES = (
    "argon2",
    "asyncio",
    "concurrent.futures",
    "cryptography.hazmat.primitives.ciphers.aead",
    "django.core.management",
    "django.conf.urls.static",
    "django.contrib.auth.hashers",
    "django.contrib.postgres.fields",
    "django.contrib.staticfiles",
    "django.core.checks.registry",
    "django.core.mail",
    "django.db.models",
    "django.forms",
    "django.template",
    "django.test",
    "django.urls",
    "http.client",
    "importlib.metadata",
    "logging.config",
    "psycopg",
    "rollbook.studentfile.reading.reader",
    "rollbook.studentfile.row_validator",
    "smtplib",
    "sqlite3",
    "tqdm",
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

    def run(
        self,
        module: str,
        *arguments: str,
        environment: Mapping[str, str],
        stdin: str = "",
        cwd: Path | None = None,
        kill_after_s: float | None = None,
    ) -> Done:
        """Run a module as ``python -m`` would, and return how it ended.

        Args:
            module: The name of the module.
            arguments: Its arguments.
            environment: All variables of its environment.
            stdin: What it reads from its standard input.
            cwd: Its working directory; None for that of the prepared process.
            kill_after_s: Seconds after which it is killed if it still runs.
        """
        with tempfile.TemporaryDirectory(prefix="rollbook-task-") as folder:
            out, err = Path(folder, "out"), Path(folder, "err")
            Path(folder, "in").write_text(stdin, encoding="utf-8")
            self._send(
                {
                    "module": module,
                    "arguments": arguments,
                    "environment": dict(environment),
                    "cwd": str(cwd or ""),
                    "in": str(Path(folder, "in")),
                    "out": str(out),
                    "err": str(err),
                }
            )
            pid = self._receive()
            if kill_after_s is not None:
                time.sleep(kill_after_s)
                os.kill(
                    pid, signal.SIGKILL
                )  # nobody has waited for it: the number is still its own
            self._send({})
            code = self._receive()
            return Done(code, out.read_text(encoding="utf-8"), err.read_text(encoding="utf-8"))

    def close(self) -> None:
        """End it."""
        self._process.communicate()

    def _send(self, order: dict[str, object]) -> None:
        assert self._process.stdin
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()

    def _receive(self) -> int:
        assert self._process.stdout
        return int(self._process.stdout.readline())


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
    while line := sys.stdin.readline():
        order = json.loads(line)
        pid = os.fork()
        if not pid:
            _work(order)
        _answer(pid)
        sys.stdin.readline()
        _answer(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


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
    os.environ.clear()
    os.environ.update(environment)
    _redirect(0, str(order["in"]), os.O_RDONLY)
    _redirect(1, str(order["out"]), os.O_WRONLY | os.O_CREAT)
    _redirect(2, str(order["err"]), os.O_WRONLY | os.O_CREAT)
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
