"""Run ``pg_dump`` and ``pg_restore``, which come with PostgreSQL's client programs."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
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
_NOT_LIBPQ = frozenset(
    {"pool", "server_side_binding", "prepare_threshold", "isolation_level", "assume_role"}
)
MAX_ERROR_LENGTH = 300


def connection_parameters(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the libpq parameters of Django's settings of a PostgreSQL database."""
    named = {name: settings[setting] for setting, name in _SETTING_NAMES.items()}
    options = {name: value for name, value in settings["OPTIONS"].items() if name not in _NOT_LIBPQ}
    return {name: value for name, value in (named | options).items() if value not in ("", None)}


@dataclass(frozen=True, slots=True)
class Tool:
    """A client program, its major version, and that of the server to use it with."""

    path: Path
    version: int
    server_version: int


def find_tool(name: str, server_version: int) -> Tool:
    """Find a client program, of the server's version if possible, and never an older one.

    A newer ``pg_restore`` may use settings that the server doesn't have.

    Args:
        name: The program.
        server_version: The major version of the server.

    Raises:
        OperationProblem: There is none.
    """
    found = [Tool(path, _version(path), server_version) for path in _candidates(name)]
    usable = [tool for tool in found if tool.version >= server_version]
    if usable:
        return min(usable, key=lambda tool: tool.version)
    newest = max((tool.version for tool in found), default=0)
    problem = f"{name} is not installed"
    if newest:
        problem = f"{name} is of version {newest}, older than the server"
    raise OperationProblem(
        "no_client_programs",
        f"{problem}; install the client programs of PostgreSQL {server_version}, such as the "
        f"package postgresql-client-{server_version}, or add their folder to PATH",
    )


def run_tool(tool: Tool, arguments: Sequence[object], parameters: Mapping[str, Any]) -> None:
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
    command = [
        str(tool.path),
        "--dbname",
        make_conninfo(**public),
        "--no-password",
        *map(str, arguments),
    ]
    done = subprocess.run(  # noqa: S603 - PostgreSQL's own program
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
        fix = "check that the disk is not full and that the database user owns the tables"
        if tool.version != tool.server_version:
            fix = f"if it doesn't fit the server, install that of PostgreSQL {tool.server_version}"
        raise OperationProblem(
            "client_program_failed",
            f"{tool.path.name} {tool.version} failed ({lines[0][:MAX_ERROR_LENGTH]}); {fix}, then "
            "run the command again",
        )


def _candidates(name: str) -> Iterator[Path]:
    """Yield where the program may be."""
    on_path = shutil.which(name)
    if on_path:
        yield Path(on_path)
    for pattern in _SYSTEM_FOLDERS:
        yield from filter(Path.is_file, (folder / name for folder in Path("/").glob(pattern)))


def _version(path: Path) -> int:
    """Return the major version of a program; 0 if it can't be run."""
    try:
        output = subprocess.run(  # noqa: S603 - PostgreSQL's own program
            [path, "--version"], capture_output=True, text=True, check=False
        ).stdout
    except OSError:
        return 0
    found = _VERSION.search(output)
    return int(found[1]) if found else 0
