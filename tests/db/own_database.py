"""A database of a test's own on the PostgreSQL of the test run, whose owner is no superuser."""

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
    """How to reach it, as libpq's keywords."""

    said: dict[str, Any]

    @property
    def user(self) -> str:
        return str(self.said["user"])

    @property
    def name(self) -> str:
        return str(self.said["dbname"])

    def url(self, **other: str) -> str:
        """As DATABASE_URL takes it, with some keywords changed."""
        said = {name: value for name, value in (self.said | other).items() if value}
        return f"postgres://?{urlencode(said, quote_via=quote, safe='')}"

    def execute(self, statement: str) -> None:
        """Do this as its owner."""
        names = {"database": sql.Identifier(self.name), "user": sql.Identifier(self.user)}
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(**names))

    def value(self, question: str) -> Any:
        """The first cell of the answer."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            row = connection.execute(question).fetchone()
        return row and row[0]

    def asks_for_no_password(self) -> bool:
        """Whether the server lets everybody in."""
        try:
            psycopg.connect(self.url(password="guessed")).close()
        except psycopg.OperationalError:
            return False
        return True


@contextmanager
def own_database(url: str, how: str = "") -> Iterator[OwnDatabase]:
    """Made for this test, and dropped after it; so is its owner, where the run's own user is a superuser.

    ``how`` is what CREATE DATABASE takes besides.
    """
    name = f"doctor_{secrets.token_hex(4)}"
    with psycopg.connect(url, autocommit=True) as maker:
        said = conninfo_to_dict(url) | {"dbname": name, "user": maker.info.user}
        is_superuser = maker.execute(
            "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
        ).fetchone() == (True,)
        if is_superuser:
            said |= {"user": name, "password": secrets.token_hex(8)}
            maker.execute(
                sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(
                    sql.Identifier(name), said["password"]
                )
            )
        database, owner = sql.Identifier(name), sql.Identifier(str(said["user"]))
        maker.execute(
            sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0 " + how).format(database, owner)
        )
        try:
            yield OwnDatabase(said)
        finally:
            # Not WITH (FORCE): it refuses where autovacuum, which is not its owner's to end, happens to be at work.
            maker.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(database))
            maker.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND usename = %s",
                [name, said["user"]],
            )
            maker.execute(sql.SQL("DROP DATABASE {}").format(database))
            if is_superuser:
                maker.execute(sql.SQL("DROP ROLE {}").format(owner))
