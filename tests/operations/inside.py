"""Run ``rollbook`` and disturb it: ``python -m tests.operations.inside HOW AT FOLDER ARGUMENTS``.

HOW is ``kill`` (the process ends at the event number AT), ``full`` (from that event on, the disk
below FOLDER is full), ``database_full`` (from that event on, the disk of the database is full),
``limit`` (no file can have more than AT bytes) or ``count`` (print how many events there were). An
event is a change of a file below FOLDER, a program that is started, or a statement for the
database.
"""

import errno
import os
import resource
import signal
import sys
from collections.abc import Callable
from typing import Any

from django.db.utils import OperationalError

CHANGES = {"os.rename": 1, "os.remove": 0, "os.mkdir": 0, "os.rmdir": 0, "shutil.rmtree": 0}
"""Audit events that change files, and which argument is the path that is changed."""

CHANGING_STATEMENTS = ("INSERT", "UPDATE", "DELETE", "CREATE", "COPY")

FULL = {
    "sqlite": OperationalError("database or disk is full"),
    "postgresql": OperationalError("could not extend file: No space left on device"),
}
"""What the databases report."""

NEED_SPACE = {"open", "os.mkdir"}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class Disturbance:
    """Counts events, and does its work at one of them."""

    def __init__(self, how: str, at: int, folder: str) -> None:
        self.how, self.at, self.folder = how, at, folder
        self.count = 0

    def audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Handle an audit event."""
        if self._is_change(event, arguments):
            self.happened(event)

    def statement(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        """Wrap the execution of a statement of Django's."""
        self.happened("statement")
        is_write = sql.lstrip().upper().startswith(CHANGING_STATEMENTS)
        if self.how == "database_full" and self.count >= self.at and is_write:
            raise FULL[context["connection"].vendor]
        return execute(sql, params, many, context)

    def happened(self, event: str) -> None:
        self.count += 1
        if self.how == "kill" and self.count == self.at:
            os._exit(137)
        if self.how == "full" and self.count >= self.at and event in NEED_SPACE:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _is_change(self, event: str, arguments: tuple[Any, ...]) -> bool:
        if event == "subprocess.Popen":
            return True
        if event == "open":
            path, mode, flags = arguments
            is_writing = bool(flags & WRITING) or any(char in str(mode or "") for char in "wxa+")
            return is_writing and self._is_below(path)
        return event in CHANGES and self._is_below(arguments[CHANGES[event]])

    def _is_below(self, path: Any) -> bool:
        if isinstance(path, int):
            return False
        return os.fsdecode(path).startswith(self.folder)


def main(how: str, at: str, folder: str, *arguments: str) -> int:
    """Run the command with a disturbance; return its exit code."""
    from django.db.backends.signals import connection_created

    from rollbook.cli import run

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rollbook.settings")
    os.umask(0o077)
    sys.dont_write_bytecode = True  # or the next process finds half a file
    disturbance = Disturbance(how, int(at), folder)

    def connected(connection: Any, **signal_arguments: Any) -> None:
        if disturbance.statement not in connection.execute_wrappers:
            connection.execute_wrappers.append(disturbance.statement)

    connection_created.connect(connected)
    if how == "limit":
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(at), resource.RLIM_INFINITY))
    else:
        sys.addaudithook(disturbance.audit)
    code = run(arguments)
    if how == "count":
        print(f"events: {disturbance.count}")
    return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
