"""What a backup records about a snapshot of the database, whatever version it is of."""

from datetime import datetime

from rollbook import __version__
from rollbook.accounts.models import KeyState
from rollbook.operations.backup.manifest import AuditHead, Manifest
from rollbook.operations.backup.snapshot import Snapshot
from rollbook.operations.problem import OperationProblem
from rollbook.operations.tables import Table, TableDigest, digest_table, tables_of
from rollbook.secret_keys import file_name

_MIGRATIONS = "SELECT app, name FROM django_migrations ORDER BY app, name"
_INSTALLATION = "SELECT key FROM accounts_installation"
_LAST_SEAL = "SELECT number, digest FROM accounts_auditseal ORDER BY number DESC LIMIT 1"
_UNSEALED = "SELECT count(*) FROM accounts_auditevent WHERE seal_id IS NULL"
_KEYS = "SELECT name, 1, fingerprint FROM accounts_keyfingerprint"
_KEY_VERSIONS = (
    "SELECT name, version, fingerprint FROM accounts_keyfingerprint"
    f" WHERE state IN ('{KeyState.STAGED}', '{KeyState.ACTIVE}', '{KeyState.RETIRED}')"
)
_HAS_KEY_VERSIONS = ("accounts", "0004_key_versions")
_SPOOL = (
    "SELECT spool_name FROM updates_updatejob WHERE file_removed_at IS NULL"
    " UNION SELECT spool_name FROM updates_draft ORDER BY 1"
)
_IN_DATABASE = "SELECT DISTINCT spool_name FROM updates_filechunk"


def describe(snapshot: Snapshot, now: datetime) -> Manifest:
    """Return the manifest of a snapshot, without its files.

    Raises:
        OperationProblem: The database is not one of Rollbook, or too old.
    """
    migrations = read_migrations(snapshot)
    tables = tables_of(migrations)
    names = {table.name for table in tables}
    installation = snapshot.rows(_INSTALLATION) if "accounts_installation" in names else []
    if not installation:
        raise OperationProblem(
            "no_installation",
            "the database has no installation ID yet; run `rollbook migrate` first",
        )
    return Manifest(
        version=__version__,
        created_at=now,
        installation_id=installation[0][0],
        database=snapshot.vendor,
        server_version=snapshot.server_version,
        migrations=migrations,
        audit=_audit_head(snapshot),
        key_fingerprints=_key_fingerprints(snapshot, migrations),
        tables={table.name: _digest(snapshot, table) for table in tables},
    )


def read_migrations(snapshot: Snapshot) -> tuple[tuple[str, str], ...]:
    """Return the migrations that the database has had."""
    return tuple((app, name) for app, name in snapshot.rows(_MIGRATIONS))


def needed_files(snapshot: Snapshot) -> list[str]:
    """Return the names of the uploaded files that the snapshot refers to and doesn't contain."""
    contained = {name for (name,) in snapshot.rows(_IN_DATABASE)}
    return [name for (name,) in snapshot.rows(_SPOOL) if name not in contained]


def _key_fingerprints(
    snapshot: Snapshot, migrations: tuple[tuple[str, str], ...]
) -> dict[str, str]:
    """Return the fingerprints of the keys that are needed, by the names of their files."""
    keys = snapshot.rows(_KEY_VERSIONS if _HAS_KEY_VERSIONS in migrations else _KEYS)
    return {file_name(name, version): fingerprint for name, version, fingerprint in sorted(keys)}


def _audit_head(snapshot: Snapshot) -> AuditHead:
    seals = snapshot.rows(_LAST_SEAL)
    seal, digest = seals[0] if seals else (0, "")
    return AuditHead(seal, digest, snapshot.rows(_UNSEALED)[0][0])


def _digest(snapshot: Snapshot, table: Table) -> TableDigest:
    return digest_table(snapshot.cursor, snapshot.vendor, table)
