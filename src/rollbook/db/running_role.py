"""The PostgreSQL role of web servers and workers, if it isn't the owner of the tables.

It reads and writes rows, and can't create, change, empty or drop tables. Of the audit log, it can
add events and seals, give an event its seal, and remove events as far as the triggers allow. Only
the owner can do more, and only `rollbook migrate` and a few other commands connect as the owner.
"""

from collections.abc import Iterator
from typing import Any

from django.db import connection, transaction

ANALYZE = "rollbook_analyze"
"""A function with which the role updates planner statistics, which only the owner may."""

_OWN_TABLES = """
SELECT tablename FROM pg_tables
WHERE schemaname = current_schema() AND pg_has_role(tableowner, 'USAGE') ORDER BY tablename"""
_OWN_SEQUENCES = """
SELECT sequencename FROM pg_sequences
WHERE schemaname = current_schema() AND pg_has_role(sequenceowner, 'USAGE') ORDER BY sequencename"""
_CREATE_ANALYZE = f"""
CREATE OR REPLACE FUNCTION {ANALYZE}(tables text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = {{schema}}, pg_temp AS $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY tables LOOP
        EXECUTE format('ANALYZE {{schema}}.%I', name);
    END LOOP;
END $$"""
_LACKING = """
SELECT count(*) FROM pg_tables
WHERE schemaname = current_schema() AND tablename = ANY(%s)
AND NOT has_table_privilege(format('%%I.%%I', schemaname, tablename), 'SELECT, INSERT')"""

LIMITED: dict[str, tuple[str, ...]] = {
    "django_migrations": ("SELECT",),
    "accounts_auditevent": ("SELECT", "INSERT", "DELETE", "UPDATE (seal_id)"),
    "accounts_auditseal": ("SELECT", "INSERT", "UPDATE (removed_events, remaining_digest)"),
}
"""The tables of which the role may do less than with others, and what."""


def grant(role: str) -> None:
    """Grant a role what web servers and workers need, and take the rest away."""
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in list(_statements(role)):
            cursor.execute(statement)


def lacks_privileges() -> bool:
    """Return whether the current role can't use some tables, such as those of a new version."""
    tables = set(connection.introspection.django_table_names(include_views=False))
    with connection.cursor() as cursor:
        cursor.execute(_LACKING, [sorted(tables - LIMITED.keys())])
        return bool(cursor.fetchone()[0])


def _statements(role: str) -> Iterator[str]:
    quoted = connection.ops.quote_name
    to, schema = quoted(role), quoted(str(_column("SELECT current_schema()")[0]))
    tables, sequences = _column(_OWN_TABLES), _column(_OWN_SEQUENCES)
    rows = "SELECT, INSERT, UPDATE, DELETE"
    yield f"REVOKE ALL ON SCHEMA {schema} FROM {to}"
    yield f"GRANT USAGE ON SCHEMA {schema} TO {to}"
    for table in tables:
        yield f"REVOKE ALL ON {schema}.{quoted(table)} FROM {to}"
        privileges = ", ".join(LIMITED.get(table, (rows,)))
        yield f"GRANT {privileges} ON {schema}.{quoted(table)} TO {to}"
    for sequence in sequences:
        yield f"GRANT SELECT, USAGE ON SEQUENCE {schema}.{quoted(sequence)} TO {to}"
    # A new version must be usable between its migrations and these statements.
    yield f"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT {rows} ON TABLES TO {to}"
    yield f"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT SELECT, USAGE ON SEQUENCES TO {to}"
    yield _CREATE_ANALYZE.format(schema=schema)
    yield f"REVOKE ALL ON FUNCTION {ANALYZE}(text[]) FROM PUBLIC"
    yield f"GRANT EXECUTE ON FUNCTION {ANALYZE}(text[]) TO {to}"


def _column(query: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return [value for (value,) in cursor.fetchall()]
