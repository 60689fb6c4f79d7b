"""The SQLite database that everything is moved from."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rollbook.accounts.installation_id import MOVED_TRIGGER
from rollbook.db import schema_version
from rollbook.operations.problem import OperationProblem
from rollbook.operations.tables import NOT_OURS, Table, TableDigest, digest_table, select_rows

LOCK_TIMEOUT_S = 5.0

_FILES = (
    "SELECT spool_name, spool_digest, file_digest FROM updates_updatejob"
    " WHERE file_removed_at IS NULL"
    " UNION SELECT spool_name, spool_digest, file_digest FROM updates_draft ORDER BY 1"
)


@dataclass(frozen=True)
class Source:
    """The database, which no one else can change."""

    session: sqlite3.Connection

    @property
    def installation_id(self) -> str:
        """The ID that it shares with the data folder."""
        return str(self._value("SELECT key FROM accounts_installation"))

    @property
    def is_moved(self) -> bool:
        """Whether everything was moved from it before."""
        return self._value("SELECT moved_at FROM accounts_installation") is not None

    def rows(self, table: Table, after: object) -> Iterator[Sequence[Any]]:
        """Yield the rows of a table whose primary keys are above this one, in order."""
        names = [f'"{column.name}"' for column in table.columns]
        cursor = self.session.cursor()
        if after is None:
            yield from select_rows(cursor, table, names)
            return
        self.session.execute("DELETE FROM temp.copied_through")
        self.session.execute("INSERT INTO temp.copied_through VALUES (?)", (after,))
        condition = f'"{table.key.name}" > (SELECT key FROM temp.copied_through)'
        yield from select_rows(cursor, table, names, condition)

    def digest(self, table: Table) -> TableDigest:
        """Return the digest of a table."""
        return digest_table(self.session.cursor(), "sqlite", table)

    def files(self) -> list[tuple[str, str]]:
        """Return the names and the digests of the uploaded files that rows refer to."""
        rows = self.session.execute(_FILES).fetchall()
        return [(name, stored or sent) for name, stored, sent in rows]

    def mark_moved(self, now: datetime) -> None:
        """Keep everything from using this database from now on; commits.

        A process that has it open, such as a web server of its own, can no longer store uploads.
        """
        moment = now.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
        self.session.execute("UPDATE accounts_installation SET moved_at = ?", (moment,))
        self.session.execute(
            f"CREATE TRIGGER IF NOT EXISTS {MOVED_TRIGGER} BEFORE INSERT ON updates_updatejob"
            " BEGIN SELECT RAISE(ABORT, 'everything was moved to PostgreSQL'); END"
        )
        self.session.execute("COMMIT")

    def _value(self, query: str) -> object:
        row = self.session.execute(query).fetchone()
        return row and row[0]


@contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """Open the database and lock it against all writers.

    Raises:
        OperationProblem: It doesn't exist, is in use, or is not of this version.
    """
    if not path.is_file():
        raise OperationProblem(
            "no_database", f"there is no SQLite database {path}; name its data folder with --data"
        )
    address = f"{path.absolute().as_uri()}?mode=rw"
    with closing(
        sqlite3.connect(address, uri=True, timeout=LOCK_TIMEOUT_S, isolation_level=None)
    ) as session:
        session.execute("CREATE TEMP TABLE copied_through (key)")
        try:
            session.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            raise OperationProblem(
                "folder_in_use", f"{path} is in use ({error}); stop what uses it, and try again"
            ) from None
        _require_current(session)
        yield Source(session)


def _require_current(session: sqlite3.Connection) -> None:
    """Check that the tables are those of this version of Rollbook."""
    applied = set(session.execute("SELECT app, name FROM django_migrations").fetchall())
    missing = [key for key in schema_version.known_migrations() if key[0] not in NOT_OURS]
    if schema_version.unknown_migrations(applied) or set(missing) - applied:
        raise OperationProblem(
            "other_version",
            "the SQLite database is not of this version of Rollbook; run `rollbook migrate` "
            "without DATABASE_URL first, with the newest version that has used it",
        )
