"""Run ``pg_dump`` and ``pg_restore``, which come with PostgreSQL's client programs."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rollbook.operations.problem import OperationProblem

_SYSTEM_FOLDERS = ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin")  # Debian's and Red Hat's
_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")
_SETTING_NAMES = {
    "USER": "user",
    "PASSWORD": "password",
    "HOST": "host",
    "PORT": "port",
    "NAME": "dbname",
}
_NOT_LIBPQ = frozenset({"pool", "server_side_binding", "isolation_level", "assume_role"})
MAX_ERROR_LENGTH = 300


def connection_parameters(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the libpq parameters of Django's settings of a PostgreSQL database."""
    named = {name: settings[setting] for setting, name in _SETTING_NAMES.items()}
    options = {name: value for name, value in settings["OPTIONS"].items() if name not in _NOT_LIBPQ}
    return {name: value for name, value in (named | options).items() if value not in ("", None)}


def find_tool(name: str, server_version: int) -> Path:
    """Return the path of a client program that is not older than the server.

    Args:
        name: The program.
        server_version: The major version of the server.

    Raises:
        OperationProblem: There is none.
    """
    found = [(_version(path), path) for path in _candidates(name)]
    for version, path in found:
        if version >= server_version:
            return path
    newest = max((version for version, _ in found), default=0)
    problem = f"{name} is not installed"
    if newest:
        problem = f"{name} is of version {newest}, older than the server"
    raise OperationProblem(
        "no_client_programs",
        f"{problem}; install the client programs of PostgreSQL {server_version} or later, such as "
        f"the package postgresql-client-{server_version}, or add their folder to PATH",
    )


def run_tool(path: Path, arguments: Sequence[object], parameters: Mapping[str, Any]) -> None:
    """Run a client program on a database.

    The password is passed in the environment, which other accounts can't see.

    Raises:
        OperationProblem: It failed; the text quotes its message.
    """
    from psycopg.conninfo import make_conninfo

    public = {name: value for name, value in parameters.items() if name != "password"}
    environment = {"LC_ALL": "C", **os.environ}
    if parameters.get("password"):
        environment["PGPASSWORD"] = str(parameters["password"])
    command = [path, "--dbname", make_conninfo(**public), "--no-password", *map(str, arguments)]
    done = subprocess.run(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise OperationProblem(
            "client_program_failed",
            f"{path.name} failed ({lines[0][:MAX_ERROR_LENGTH]}); check that the disk is not full "
            "and that the database user owns the tables, then run the command again",
        )


def _candidates(name: str) -> Iterator[Path]:
    """Yield where the program may be, that of PATH first, then the machine's newest."""
    on_path = shutil.which(name)
    if on_path:
        yield Path(on_path)
    installed = [path / name for pattern in _SYSTEM_FOLDERS for path in Path("/").glob(pattern)]
    yield from sorted(filter(Path.is_file, installed), key=_version, reverse=True)


def _version(path: Path) -> int:
    """Return the major version of a program; 0 if it can't be run."""
    try:
        output = subprocess.run(
            [path, "--version"], capture_output=True, text=True, check=False
        ).stdout
    except OSError:
        return 0
    found = _VERSION.search(output)
    return int(found[1]) if found else 0
