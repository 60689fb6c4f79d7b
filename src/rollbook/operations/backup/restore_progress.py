"""How far a restore is: a file in the data folder, without which nothing would be started."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from rollbook.operations import durable
from rollbook.operations.backup.manifest import DATABASES, Manifest
from rollbook.operations.problem import OperationProblem


@dataclass
class Progress:
    """The marker file of a restore that was begun.

    Attributes:
        path: The file; while it exists, no server or command uses the data folder.
        identity: Identifies the backup.
        done: The names of the steps that are finished.
    """

    path: Path
    identity: list[str]
    done: list[str] = field(default_factory=list)

    @classmethod
    def load(cls, path: Path, manifest: Manifest) -> "Progress | None":
        """Return the progress of a restore of this backup, None if none was begun.

        Raises:
            OperationProblem: Another backup is being restored, and its data is in place already.
        """
        if not path.exists():
            return None
        try:
            values = json.loads(path.read_bytes())
            progress = cls(path, values["identity"], values["done"])
        except (ValueError, KeyError, TypeError):
            progress = cls(path, [])
        if progress.identity == _identity(manifest):
            return progress
        if progress.done:
            raise OperationProblem(
                "other_restore",
                f"another backup, of {progress.identity[1]}, is being restored into "
                f"{path.parent}; finish that with the same command, or empty the data folder and "
                "the database",
            )
        return cls(path, _identity(manifest))

    @classmethod
    def begin(cls, path: Path, manifest: Manifest) -> "Progress":
        """Write the marker file."""
        progress = cls(path, _identity(manifest))
        progress.save()
        return progress

    def run(self, name: str, step: Callable[[], None]) -> None:
        """Run a step unless it is finished; a step that was killed is run again."""
        if name not in self.done:
            step()
            self.done.append(name)
            self.save()

    def save(self) -> None:
        """Write the marker file durably."""
        values = {"identity": self.identity, "done": self.done}
        durable.write_file(self.path, json.dumps(values).encode())

    def end(self) -> None:
        """Remove the marker file: the data folder can be used."""
        durable.remove(self.path)


def _identity(manifest: Manifest) -> list[str]:
    database = manifest.files[DATABASES[manifest.database]]
    return [manifest.installation_id, manifest.created_at.isoformat(), database.sha256]
