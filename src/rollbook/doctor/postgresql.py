"""Checks a PostgreSQL server: its encoding, durability and connections, and our permissions."""

from collections.abc import Iterator
from typing import Any

from django.db import connection

from rollbook.db import running_role
from rollbook.doctor.environment import LOCAL
from rollbook.doctor.result import CheckResult, error, ok, warning

CONNECTIONS_WARNING_SHARE = 0.9
STATEMENT_TIMEOUT_MS = 5000
READ_ONLY = "it is read-only: it is a standby, or default_transaction_read_only is on"
_SETTINGS_SQL = """
    SELECT current_setting('server_version'), current_setting('server_encoding'),
        current_setting('fsync'), current_setting('full_page_writes'),
        current_setting('synchronous_commit'),
        pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on',
        current_schema(), COALESCE(has_schema_privilege(current_schema(), 'CREATE'), FALSE),
        (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
        current_setting('max_connections')::int, current_user, current_database()
"""
_FOREIGN_TABLES_SQL = """
    SELECT tablename, tableowner FROM pg_tables
    WHERE schemaname = current_schema() AND tablename IN %s AND NOT pg_has_role(tableowner, 'USAGE')
    ORDER BY tablename
"""


def results(location: str) -> Iterator[CheckResult]:
    """Yield the version of the server, then what is wrong with it."""
    facts = _facts()
    used = f"{facts['connections']} of {facts['max_connections']} connections in use"
    yield ok(
        f"{location} responds, version {facts['version']}, database {facts['database']}, {used}"
    )
    yield from _durability(facts)
    yield from _permissions(facts)
    yield from _connections(facts)
    if facts["encoding"] != "UTF8":
        yield error(
            f"the database {facts['database']} has the encoding {facts['encoding']}, "
            "which cannot store every name",
            "create a new one with `createdb --encoding=UTF8 --template=template0`, "
            "and copy the data with pg_dump",
        )


def _facts() -> dict[str, Any]:
    names = (
        *("version", "encoding", "fsync", "full_page_writes", "synchronous_commit", "read_only"),
        *("schema", "may_create", "connections", "max_connections", "user", "database"),
    )
    with connection.cursor() as cursor:
        cursor.execute(f"SET statement_timeout = {STATEMENT_TIMEOUT_MS}")
        cursor.execute(_SETTINGS_SQL)
        return dict(zip(names, cursor.fetchone(), strict=True))


def _durability(facts: dict[str, Any]) -> Iterator[CheckResult]:
    if facts["fsync"] == "off":
        yield error(
            "fsync is off: a crash of the machine can destroy the whole database",
            "set `fsync = on` in postgresql.conf, and reload it",
        )
    if facts["full_page_writes"] == "off":
        yield warning(
            "full_page_writes is off: a crash of the machine can damage pages",
            "set `full_page_writes = on` in postgresql.conf, "
            "unless the file system prevents partial page writes",
        )
    if facts["synchronous_commit"] == "off":
        yield warning(
            "synchronous_commit is off: a crash of the machine can lose the last committed changes",
            f"`ALTER DATABASE {facts['database']} SET synchronous_commit = on` in psql, "
            "unless DATABASE_URL sets it",
        )
    if facts["read_only"]:
        yield error(
            READ_ONLY,
            "set DATABASE_URL to the primary server, or remove the setting",
        )


def _permissions(facts: dict[str, Any]) -> Iterator[CheckResult]:
    user, database = facts["user"], facts["database"]
    foreign_tables = _foreign_tables()
    if foreign_tables and not facts["may_create"] and facts["schema"]:
        yield from _lesser_role(user, owner=foreign_tables[0][1])
        return
    if facts["schema"] is None:
        yield error(
            f"{user} has no schema to create tables in",
            f"`CREATE SCHEMA public AUTHORIZATION {user}` in psql, or correct search_path",
        )
    elif not facts["may_create"]:
        yield error(
            f"{user} has no permission to create tables in the schema {facts['schema']}, "
            "which upgrades need",
            f"`GRANT ALL ON SCHEMA {facts['schema']} TO {user}` in psql, in {database}",
        )
    if foreign_tables:
        table, owner = foreign_tables[0]
        yield error(
            f"{table} and {len(foreign_tables) - 1} other tables belong to {owner}, not to {user}",
            f"use {owner} in DATABASE_URL, or `REASSIGN OWNED BY {owner} TO {user}` in psql, "
            f"in {database}",
        )
    elif facts["schema"] and facts["may_create"]:
        yield ok(
            f"{user} owns the tables; with a second role that doesn't (docs/postgresql.md), a "
            "break-in into the server could neither drop tables nor change the audit log"
        )


def _lesser_role(user: str, owner: str) -> Iterator[CheckResult]:
    """Check a role that isn't the owner of the tables and can't create any."""
    if running_role.lacks_privileges():
        yield error(
            f"{user} has no permission to use some of the tables, which belong to {owner}",
            f"set ROLLBOOK_MIGRATE_DATABASE_URL with {owner} as the user, and run "
            "`rollbook migrate`, which grants them",
        )
        return
    yield ok(f"{user} can't change tables nor the audit log; they belong to {owner}")


def _foreign_tables() -> list[tuple[str, str]]:
    ours = connection.introspection.django_table_names(include_views=False)
    with connection.cursor() as cursor:
        cursor.execute(_FOREIGN_TABLES_SQL.replace("IN %s", "= ANY(%s)"), [ours])
        return list(cursor.fetchall())


def _connections(facts: dict[str, Any]) -> Iterator[CheckResult]:
    used, limit = facts["connections"], facts["max_connections"]
    if used > CONNECTIONS_WARNING_SHARE * limit:
        yield warning(
            f"{used} of {limit} connections are in use",
            "check who uses them (`SELECT * FROM pg_stat_activity`), or raise max_connections",
        )
    host = str(connection.settings_dict["HOST"])
    is_remote = bool(host) and not host.startswith("/") and host not in LOCAL
    if is_remote and not connection.connection.pgconn.ssl_in_use:
        yield warning(
            f"the connection to {host} has no TLS, so student records are sent unencrypted",
            "turn on TLS there (`ssl = on`), and add sslmode=verify-full to DATABASE_URL",
        )
