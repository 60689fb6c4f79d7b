"""A separate database on the PostgreSQL server of the test run; its owner isn't a superuser."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict


@dataclass(frozen=True)
class OwnDatabase:
    """How to connect to it, as libpq's keywords."""

    keywords: dict[str, Any]

    @property
    def user(self) -> str:
        return str(self.keywords["user"])

    @property
    def name(self) -> str:
        return str(self.keywords["dbname"])

    def url(self, **other: str) -> str:
        """Return a DATABASE_URL, with some keywords changed."""
        keywords = {name: value for name, value in (self.keywords | other).items() if value}
        return f"postgres://?{urlencode(keywords, quote_via=quote, safe='')}"

    def execute(self, statement: str) -> None:
        """Execute a statement as its owner."""
        names = {"database": sql.Identifier(self.name), "user": sql.Identifier(self.user)}
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(**names))

    def value(self, query: str) -> Any:
        """Return the first cell of the result."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            row = connection.execute(query).fetchone()
        return row and row[0]

    def accepts_any_password(self) -> bool:
        """Return whether the server accepts a wrong password."""
        try:
            psycopg.connect(self.url(password="guessed")).close()
        except psycopg.OperationalError:
            return False
        return True


@contextmanager
def own_database(url: str, options: str = "") -> Iterator[OwnDatabase]:
    """Create a database for this test, and drop it afterward.

    The same applies to its owner, if the user of the test run is a superuser.

    Args:
        url: The URL of the database of the test run.
        options: More options of CREATE DATABASE.
    """
    name = f"doctor_{secrets.token_hex(4)}"
    with psycopg.connect(url, autocommit=True) as server:
        keywords = conninfo_to_dict(url) | {"dbname": name, "user": server.info.user}
        is_superuser = server.execute(
            "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
        ).fetchone() == (True,)
        if is_superuser:
            keywords |= {"user": name, "password": secrets.token_hex(8)}
            server.execute(
                sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(
                    sql.Identifier(name), keywords["password"]
                )
            )
        database, owner = sql.Identifier(name), sql.Identifier(str(keywords["user"]))
        server.execute(
            sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0 " + options).format(
                database, owner
            )
        )
        try:
            yield OwnDatabase(keywords)
        finally:
            # Not WITH (FORCE): that fails while autovacuum is working on the database, which its
            # owner may not terminate.
            server.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(database))
            server.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = %s AND usename = %s",
                [name, keywords["user"]],
            )
            server.execute(sql.SQL("DROP DATABASE {}").format(database))
            if is_superuser:
                server.execute(sql.SQL("DROP ROLE {}").format(owner))
