"""The manifest of a backup: what it contains, and the digests to verify it with."""

import json
import re
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from rollbook.operations.problem import OperationProblem
from rollbook.operations.tables import TableDigest

FORMAT = 1
"""Of the archive; a version of Rollbook reads archives up to its own number."""

NAME = "rollbook-backup.json"
DATABASES = {"sqlite": "database.sqlite3", "postgresql": "database.dump"}
"""The name of the database in the archive, by its kind."""

SPOOL, KEYS = "spool/", "keys/"
_MEMBER_NAME = re.compile(
    r"(?:database\.(?:sqlite3|dump)|(?:spool|keys)/\w[\w.-]{0,120})", re.ASCII
)


@dataclass(frozen=True, slots=True)
class ArchivedFile:
    """The size of a file in the archive, and the SHA-256 of its content."""

    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class AuditHead:
    """The newest audit seal, and how many events are not sealed yet."""

    seal: int
    digest: str
    unsealed_events: int


@dataclass(frozen=True)
class Manifest:
    """What a backup contains.

    Attributes:
        version: The version of Rollbook that wrote it.
        created_at: When the database was read.
        installation_id: Which installation it belongs to.
        database: ``sqlite`` or ``postgresql``.
        server_version: The major version of PostgreSQL; 0 on SQLite.
        migrations: What the database has had, as pairs of app and name.
        audit: The newest seal of the audit log.
        key_fingerprints: The fingerprints of the keys that the database needs, by their file names.
        tables: The number of rows and the digest of each table.
        files: The other members of the archive.
        missing_files: Uploaded files that should have been in the spool folder.
    """

    version: str
    created_at: datetime
    installation_id: str
    database: str
    server_version: int
    migrations: tuple[tuple[str, str], ...]
    audit: AuditHead
    key_fingerprints: dict[str, str]
    tables: dict[str, TableDigest]
    files: dict[str, ArchivedFile] = field(default_factory=dict)
    missing_files: tuple[str, ...] = ()

    @property
    def has_keys(self) -> bool:
        """Whether the keys are in the archive."""
        return any(name.startswith(KEYS) for name in self.files)

    @property
    def size(self) -> int:
        """The bytes of all files in the archive."""
        return sum(file.bytes for file in self.files.values())

    @property
    def rows(self) -> int:
        """The rows of all tables."""
        return sum(table.rows for table in self.tables.values())

    def spool_names(self) -> list[str]:
        """Return the names of the uploaded files in the archive."""
        names = filter(lambda name: name.startswith(SPOOL), self.files)
        return sorted(name.removeprefix(SPOOL) for name in names)

    def to_json(self) -> bytes:
        """Serialize."""
        values = asdict(self) | {"format": FORMAT, "created_at": self.created_at.isoformat()}
        return json.dumps(values, indent=1, sort_keys=True).encode()

    @classmethod
    def from_json(cls, content: bytes) -> "Manifest":
        """Parse.

        Raises:
            OperationProblem: It is damaged, or a newer version of Rollbook has written it.
        """
        try:
            values: dict[str, Any] = json.loads(content)
            found_format = int(values.pop("format"))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise _damaged() from None
        if found_format > FORMAT:
            raise newer_version(values.get("version"))
        try:
            manifest = cls._from_values(values)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise _damaged() from None
        manifest.require_safe_names()
        return manifest

    @classmethod
    def _from_values(cls, values: dict[str, Any]) -> "Manifest":
        return cls(
            version=str(values["version"]),
            created_at=datetime.fromisoformat(values["created_at"]),
            installation_id=str(values["installation_id"]),
            database=str(values["database"]),
            server_version=int(values["server_version"]),
            migrations=tuple((str(app), str(name)) for app, name in values["migrations"]),
            audit=AuditHead(**values["audit"]),
            key_fingerprints=dict(values["key_fingerprints"]),
            tables={name: TableDigest(**table) for name, table in values["tables"].items()},
            files={name: ArchivedFile(**file) for name, file in values["files"].items()},
            missing_files=tuple(values["missing_files"]),
        )

    def require_safe_names(self) -> None:
        """Refuse names that would lead out of the folder into which the archive is unpacked.

        Raises:
            OperationProblem: There is such a name, or the database is missing.
        """
        unsafe = [name for name in self.files if not _MEMBER_NAME.fullmatch(name) or ".." in name]
        if unsafe or DATABASES.get(self.database) not in self.files:
            raise _damaged()


def newer_version(version: object) -> OperationProblem:
    """Return the problem of a backup of a newer version of Rollbook."""
    return OperationProblem(
        "newer_backup",
        f"the backup was made by a newer version of Rollbook ({version}); install that version or "
        "a later one, and restore it with that",
    )


def _damaged() -> OperationProblem:
    return OperationProblem(
        "damaged_backup", f"{NAME} in the archive is damaged or not of Rollbook; use another backup"
    )
