"""Rehearse a restore in a scratch place, with the real command, and clean up."""

import os
import secrets
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings

from rollbook import environment
from rollbook.child_python import python_command
from rollbook.operations import postgresql_tools
from rollbook.operations.backup.archive import open_archive
from rollbook.operations.folders import work_folder
from rollbook.operations.problem import OperationProblem

PREFIX = "rollbook-check-"
"""The beginning of the names of scratch folders; those of databases begin with ``rollbook_check_``.
"""

_ERROR = "ERROR "
_ABANDONED = (
    "SELECT datname FROM pg_database WHERE datname LIKE 'rollbook\\_check\\_%'"
    " AND pg_get_userbyid(datdba) = current_user"
    " AND datname NOT IN (SELECT datname FROM pg_stat_activity WHERE datname IS NOT NULL)"
)


def check_backup(path: Path, *, keys: Path | None, without_keys: bool) -> str:
    """Restore a backup in a scratch place, and verify everything, including the audit log.

    Args:
        path: The archive.
        keys: A folder with the keys; None: the data folder's own, if the archive has none.
        without_keys: Whether to continue if keys are missing.

    Returns:
        What the commands have printed.

    Raises:
        OperationProblem: It can't be restored, or the audit log was tampered with.
    """
    with open_archive(path) as archive:
        manifest = archive.manifest
    if keys is None and not manifest.has_keys and settings.KEYS.is_dir():
        keys = settings.KEYS
    options = ["--keys", str(keys)] if keys else []
    options += ["--without-keys"] if without_keys else []
    with (
        work_folder(Path(tempfile.gettempdir()), PREFIX) as scratch,
        _scratch_database(manifest.database) as url,
    ):
        variables = _environment(scratch / "data", url)
        output = _run(["restore", str(path.absolute()), *options], variables)
        if not without_keys:
            output += _run(["audit", "check"], variables)
    return output


def _environment(data: Path, url: str) -> dict[str, str]:
    """Return the environment of a command on the scratch place."""
    replaced = (environment.DATA, environment.DATABASE_URL)
    names = {name for setting in replaced for name in (setting.name, setting.file_variable)}
    kept = {name: value for name, value in os.environ.items() if name not in names}
    kept[environment.DATA.name] = str(data)
    return kept | ({environment.DATABASE_URL.name: url} if url else {})


def _run(arguments: list[str], variables: Mapping[str, str]) -> str:
    done = subprocess.run(  # noqa: S603 - our own command
        python_command("rollbook", *arguments),
        env=variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return done.stdout
    lines = [line for line in done.stderr.splitlines() if line.startswith(_ERROR)]
    if lines:
        code, _, text = lines[-1].removeprefix(_ERROR).partition(": ")
        raise OperationProblem(code, text)
    result = " ".join(done.stdout.split())
    raise OperationProblem(
        "check_failed",
        f"`rollbook {arguments[0]}` failed on the restored copy: {result}; use another backup",
    )


@contextmanager
def _scratch_database(vendor: str) -> Iterator[str]:
    """Yield the address of a new database on the server of DATABASE_URL; empty on SQLite."""
    if vendor == "sqlite":
        yield ""
        return
    if not settings.ON_POSTGRESQL:
        raise OperationProblem(
            "other_database",
            "this is a backup of postgresql; set DATABASE_URL to any database on a server where a "
            "scratch database can be created",
        )
    import psycopg
    from psycopg import sql

    parameters = postgresql_tools.connection_parameters(settings.DATABASES["default"])
    name = f"rollbook_check_{secrets.token_hex(6)}"
    with psycopg.connect(**parameters, autocommit=True) as session:
        for (former,) in session.execute(_ABANDONED).fetchall():
            session.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(former)))
        try:
            session.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name))
            )
        except psycopg.errors.InsufficientPrivilege:
            raise OperationProblem(
                "no_scratch_database",
                f"{session.info.user} may not create the scratch database; run `ALTER ROLE "
                f"{session.info.user} CREATEDB` as a superuser of PostgreSQL, or set DATABASE_URL "
                "to a server where it may",
            ) from None
    try:
        yield _url(parameters | {"dbname": name})
    finally:
        with psycopg.connect(**parameters, autocommit=True) as session:
            session.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )


def _url(parameters: Mapping[str, Any]) -> str:
    return f"postgres://?{urlencode(parameters, quote_via=quote, safe='')}"
