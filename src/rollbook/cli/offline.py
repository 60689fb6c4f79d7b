"""Set Rollbook up in a temporary folder, for a command that needs a database but no data folder."""

import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import django
from django.apps import apps
from django.conf import settings
from django.db import connection, connections

from rollbook import environment

_ENDED_BY_SIGTERM = 128 + signal.SIGTERM


@contextmanager
def temporary_installation() -> Iterator[None]:
    """Provide an empty database on this machine; nothing of it is left afterward.

    No setting of a server applies: they name its database, and some may be wrong.

    Raises:
        RuntimeError: Django is set up already, perhaps with the database of a server.
    """
    if apps.ready:
        raise RuntimeError("a temporary installation needs a process of its own")
    signal.signal(signal.SIGTERM, _exit)
    with tempfile.TemporaryDirectory(prefix="rollbook-") as folder:
        data = Path(folder) / "data"
        data.mkdir(mode=0o700)
        _use(data)
        try:
            django.setup()
            _create_tables(data)
            yield
        finally:
            connections.close_all()


def _use(data: Path) -> None:
    """Let the settings be those of a new installation in a folder, also of child processes."""
    for setting in environment.SETTINGS:
        os.environ.pop(setting.name, None)
        os.environ.pop(setting.file_variable, None)
    os.environ[environment.DATA.name] = str(data)
    os.environ[environment.LOG_LEVEL.name] = "warning"


def _create_tables(data: Path) -> None:
    # Imported here because it uses the settings, which exist only after django.setup().
    from rollbook.accounts import installation_id

    if settings.ON_POSTGRESQL or data != settings.DATA:
        raise RuntimeError("the settings are not those of the temporary installation")
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous=OFF")  # a crash of the machine needs no database
    installation_id.create_tables_if_unused()
    installation_id.verify()


def _exit(signum: int, frame: FrameType | None) -> None:
    """End the process in the same way as Ctrl-C does, so that the folder is removed."""
    sys.exit(_ENDED_BY_SIGTERM)
