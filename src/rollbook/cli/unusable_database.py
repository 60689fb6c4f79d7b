"""Turn the reasons for which a database can't be used into errors of the command."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rollbook.accounts.installation_id import WrongDatabase
from rollbook.accounts.key_fingerprints import KeysDoNotMatch
from rollbook.cli.errors import FAILED, NEWER_DATABASE, CommandError
from rollbook.db.migrating import MigrationFailed
from rollbook.db.schema_version import DatabaseIsNewer, DatabaseIsOlder

_CODES: Mapping[type[Exception], str] = {
    DatabaseIsNewer: "newer_database",
    DatabaseIsOlder: "older_database",
    WrongDatabase: "wrong_database",
    KeysDoNotMatch: "other_keys",
    MigrationFailed: "migration_failed",
}


@contextmanager
def reporting_unusable_database() -> Iterator[None]:
    """Turn such a reason, whose text says how to fix it, into a CommandError."""
    try:
        yield
    except tuple(_CODES) as error:
        exit_code = NEWER_DATABASE if isinstance(error, DatabaseIsNewer) else FAILED
        raise CommandError(_CODES[type(error)], str(error), exit_code) from None
