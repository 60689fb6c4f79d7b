"""The locks that show whether a server or a worker uses the data folder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rollbook.operations.problem import OperationProblem

LOCK_FILES = ("serve.lock", "worker.lock", "backup.lock")
"""The supervisor, the single worker and a backup hold these."""


@contextmanager
def lock_data_folder(data: Path) -> Iterator[None]:
    """Keep server, worker and backups from using the data folder.

    Raises:
        OperationProblem: One of them does.
    """
    with ExitStack() as held:
        for name in LOCK_FILES:
            held.enter_context(_lock(data, name))
        yield


@contextmanager
def _lock(data: Path, name: str) -> Iterator[None]:
    descriptor = os.open(data / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise OperationProblem(
            "folder_in_use",
            f"{data} is in use: another process holds {name}; stop the server, the worker and "
            "other commands first, or choose another folder with --data",
        ) from None
    try:
        yield
    finally:
        os.close(descriptor)
