"""Read workbooks in a process of their own."""

import json
import signal
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import IO, cast

from rollbook.child_python import python_command
from rollbook.encrypted_file import EncryptedFile
from rollbook.studentfile.limits import Limits
from rollbook.studentfile.problems.problem import Problem
from rollbook.studentfile.reading.source import Source

WORKER = "rollbook.studentfile.reading.conversion.worker_process"
CHUNK_BYTES = 1 << 17

# Names of streams in OLE files, which old Office programs and encrypted workbooks use.
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_OTHER_DOCUMENTS = ("WordDocument".encode("utf-16-le"), "PowerPoint Document".encode("utf-16-le"))

Workbook = Path | EncryptedFile

_one_at_a_time = threading.Lock()  # each may take as much memory as its limit


def read_workbook(
    source: Workbook, limits: Limits, write: Callable[[bytes], object]
) -> list[Problem]:
    """Write a sheet of a workbook as CSV; return the warnings, or why it can't be read.

    Args:
        source: The file, which may be any zip file.
        limits: The limits of a file.
        write: Called with the CSV in chunks, which are incomplete if an error is returned.

    Raises:
        OSError: The disk is full.
        RuntimeError: The process failed, for a reason that is not in the workbook.
    """
    arguments, key = _arguments(source, limits)
    with (
        _one_at_a_time,
        subprocess.Popen(  # noqa: S603 - our own module
            python_command(WORKER, arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as process,
    ):
        try:
            _send_key(cast("IO[bytes]", process.stdin), key)
            output = cast("IO[bytes]", process.stdout)
            line = output.readline()
            for chunk in iter(lambda: output.read(CHUNK_BYTES), b""):
                write(chunk)
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        return [_problem_of(process.returncode, has_begun=bool(line))]
    return [Problem(**problem) for problem in json.loads(line)]


def _arguments(source: Workbook, limits: Limits) -> tuple[str, bytes]:
    """Return the process's argument and the key of the file; no key if it isn't encrypted."""
    if isinstance(source, EncryptedFile):
        return json.dumps([str(source.path), asdict(limits), source.file_id.hex]), source.key
    return json.dumps([str(source), asdict(limits)]), b""


def _send_key(stdin: IO[bytes], key: bytes) -> None:
    """Send the key through the pipe: other users of the machine can see arguments."""
    with suppress(BrokenPipeError), stdin:
        stdin.write(key)


def problem_of_ole(source: Source) -> Problem:
    """Return why an OLE file can't be read: encrypted, an old workbook or another document."""
    names = {_ENCRYPTED: "workbook_encrypted"} | dict.fromkeys(_OTHER_DOCUMENTS, "document_not_csv")
    rest = b""
    with source.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            for name, code in names.items():
                if name in rest + chunk:
                    return Problem(code)
            rest = chunk[-max(map(len, names)) :]
    return Problem("xls_not_supported")


def _problem_of(code: int, *, has_begun: bool) -> Problem:
    """Return the problem of a workbook for which the process failed.

    Args:
        code: The exit code, or the signal as a negative number.
        has_begun: Whether the workbook had been checked by then.

    Raises:
        RuntimeError: The process ended by itself before, so the workbook isn't the reason.
    """
    if code > 0 and not has_begun:
        raise RuntimeError(f"{WORKER} exited with code {code}")
    is_too_large = -code in (signal.SIGABRT, signal.SIGXCPU, signal.SIGKILL)
    return Problem("workbook_too_large" if is_too_large else "workbook_damaged")
