"""Installations with rows in every table, and commands that are disturbed on them."""

import json
import os
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings

from tests.installations import copied, environment, execute, installed
from tests.postgres import binaries
from tests.prepared import Done, prepared


def filled(data: Path) -> Path:
    """Create a data folder and a database with rows in every table."""
    return copied(_filled_once(), data)


@cache
def _filled_once() -> Path:
    data = installed(Path(tempfile.mkdtemp(prefix="rollbook-filled-")) / "data")
    done = prepared().run("tests.operations.every_table", environment=variables(data))
    assert done.code == 0, done.err
    return data


def variables(data: Path, **more: str) -> dict[str, str]:
    """Return the environment of a command, which finds the client programs of PostgreSQL."""
    found = environment(data, **more)
    if settings.ON_POSTGRESQL:
        found["PATH"] = f"{binaries.find()}{os.pathsep}{found['PATH']}"
    return found


def rollbook(data: Path, *arguments: object, code: int = 0, **more: str) -> Done:
    """Run the command on a data folder."""
    done = prepared().run("rollbook", *map(str, arguments), environment=variables(data, **more))
    assert done.code == code, f"{done.out}\n{done.err}"
    return done


def disturbed(data: Path, how: str, at: int, *arguments: object, **more: str) -> Done:
    """Run the command with a disturbance, see ``inside.py``."""
    words = [how, str(at), str(data.parent), *map(str, arguments)]
    return prepared().run("tests.operations.inside", *words, environment=variables(data, **more))


def events(data: Path, *arguments: object, **more: str) -> int:
    """Return how many events a command has."""
    done = disturbed(data, "count", 0, *arguments, **more)
    assert done.code == 0, done.err
    return int(done.out.rpartition("events: ")[2])


def installation(data: Path) -> dict[str, Any]:
    """Return the row about the installation."""
    columns = ("key", "unfinished", "moved_at", "restored_at", "mail_held_since", "backed_up_at")
    [row] = execute(data, f"SELECT {', '.join(columns)} FROM accounts_installation")
    return dict(zip(columns, row, strict=True))


def content(data: Path, **more: str) -> list[Any]:
    """Return all rows of all tables, except for what a restore or a move sets itself."""
    done = prepared().run("tests.operations.dump", environment=variables(data, **more))
    assert done.code == 0, done.err
    return list(json.loads(done.out))
