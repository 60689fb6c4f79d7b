"""What a PostgreSQL that answers is asked: its encoding, our rights, and whether it keeps what it has acknowledged."""

from collections.abc import Iterator
from typing import Any

from django.db import connection

from rollbook.doctor.environment import LOCAL
from rollbook.doctor.result import CheckResult, error, ok, warning

CONNECTIONS_WARNING_SHARE = 0.9  # of the connections
STATEMENT_TIMEOUT_MS = 5000  # milliseconds for one question
_FACTS = """
    SELECT current_setting('server_version'), current_setting('server_encoding'),
        current_setting('fsync'), current_setting('full_page_writes'), current_setting('synchronous_commit'),
        pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on',
        current_schema(), COALESCE(has_schema_privilege(current_schema(), 'CREATE'), FALSE),
        (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
        current_setting('max_connections')::int, current_user, current_database()
"""
_OF_OTHERS = """
    SELECT tablename, tableowner FROM pg_tables
    WHERE schemaname = current_schema() AND tablename IN %s AND NOT pg_has_role(tableowner, 'USAGE')
    ORDER BY tablename
"""


def results(place: str) -> Iterator[CheckResult]:
    """Which server answers, and all that is not as it should be."""
    facts = _facts()
    used = f"{facts['connections']} of {facts['most_connections']} connections in use"
    yield ok(f"{place} answers, version {facts['version']}, database {facts['database']}, {used}")
    yield from _keeping(facts)
    yield from _rights(facts)
    yield from _connections(facts)
    if facts["encoding"] != "UTF8":
        yield error(
            f"the database {facts['database']} has the encoding {facts['encoding']}, which cannot write every name",
            "make a new one, `createdb --encoding=UTF8 --template=template0`, and bring the data over with pg_dump",
        )


def _facts() -> dict[str, Any]:
    names = (
        *("version", "encoding", "fsync", "full_page_writes", "synchronous_commit", "read_only"),
        *("schema", "may_create", "connections", "most_connections", "user", "database"),
    )
    with connection.cursor() as cursor:
        cursor.execute(f"SET statement_timeout = {STATEMENT_TIMEOUT_MS}")
        cursor.execute(_FACTS)
        return dict(zip(names, cursor.fetchone(), strict=True))


def _keeping(facts: dict[str, Any]) -> Iterator[CheckResult]:
    if facts["fsync"] == "off":
        yield error(
            "fsync is off: when the machine fails, the whole database may be lost",
            "set `fsync = on` in postgresql.conf, and reload it",
        )
    if facts["full_page_writes"] == "off":
        yield warning(
            "full_page_writes is off: when the machine fails, pages may be damaged",
            "set `full_page_writes = on` in postgresql.conf, unless the file system is known not to tear pages",
        )
    if facts["synchronous_commit"] == "off":
        yield warning(
            "synchronous_commit is off: when the machine fails, the last updates that were acknowledged may be lost",
            f"`ALTER DATABASE {facts['database']} SET synchronous_commit = on` in psql, unless DATABASE_URL says it",
        )
    if facts["read_only"]:
        yield error(
            "it lets nobody write: it is a standby, or default_transaction_read_only is on",
            "let DATABASE_URL name the primary server, or take the setting away",
        )


def _rights(facts: dict[str, Any]) -> Iterator[CheckResult]:
    user, database = facts["user"], facts["database"]
    if facts["schema"] is None:
        yield error(
            f"{user} has no schema to make tables in",
            f"`CREATE SCHEMA public AUTHORIZATION {user}` in psql, or correct search_path",
        )
    elif not facts["may_create"]:
        yield error(
            f"{user} may not make tables in the schema {facts['schema']}, which a new version will have to",
            f"`GRANT ALL ON SCHEMA {facts['schema']} TO {user}` in psql, in the database {database}",
        )
    strangers = _of_others()
    if strangers:
        table, owner = strangers[0]
        yield error(
            f"{table} and {len(strangers) - 1} other tables belong to {owner} and not to {user}",
            f"let DATABASE_URL name {owner}, or `REASSIGN OWNED BY {owner} TO {user}` in psql, in {database}",
        )


def _of_others() -> list[tuple[str, str]]:
    ours = connection.introspection.django_table_names(include_views=False)
    with connection.cursor() as cursor:
        cursor.execute(_OF_OTHERS.replace("IN %s", "= ANY(%s)"), [ours])
        return list(cursor.fetchall())


def _connections(facts: dict[str, Any]) -> Iterator[CheckResult]:
    used, most = facts["connections"], facts["most_connections"]
    if used > CONNECTIONS_WARNING_SHARE * most:
        yield warning(
            f"{used} of {most} connections are in use",
            "see who has them (`SELECT * FROM pg_stat_activity`), or raise max_connections",
        )
    host = str(connection.settings_dict["HOST"])
    if (
        host
        and not host.startswith("/")
        and host not in LOCAL
        and not connection.connection.pgconn.ssl_in_use
    ):
        yield warning(
            f"the connection to {host} has no TLS: whoever hears that network reads students' records",
            "switch TLS on there (`ssl = on`), and add sslmode=verify-full to DATABASE_URL",
        )
