"""The keys with which a restored database can be used, and what is lost without them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rollbook.operations import durable
from rollbook.operations.backup.manifest import KEYS, Manifest
from rollbook.operations.problem import OperationProblem
from rollbook.secret_keys import fingerprint

LOSSES: Mapping[str, str] = {
    "session": "everyone has to sign in again, and links in emails no longer work",
    "logins": "two-step verification has to be set up again by everyone who uses it, and the seals "
    "of the audit log can't be verified",
    "student-passwords": "no student's password can be verified",
    "student-password-marks": "the next file sets every student's password again",
    "row-digests": "the next file is compared with every student in full, which takes longer",
    "district-keys": "no uploaded file and no draft can be read",
}
"""What is lost with each key."""


def key_of(file_name: str) -> str:
    """Return the name of the key of which a file has a version."""
    return file_name.partition(".")[0]


@dataclass(frozen=True)
class KeySource:
    """Where the keys are: in folders, of which the first that has a key counts.

    Attributes:
        folders: The data folder's own one, and the one that the operator names.
        manifest: Of the backup.
    """

    folders: tuple[Path, ...]
    manifest: Manifest

    def require(self, *, without_keys: bool) -> None:
        """Check that all keys are there and are the right ones.

        Raises:
            OperationProblem: They are not; the text says what would be lost.
        """
        wrong = [name for name in self._outside_archive() if not self._is_right(name)]
        if wrong:
            raise OperationProblem(
                "other_keys",
                f"keys in {', '.join(map(str, self.folders))} are not the ones the backup was made "
                f"with: {', '.join(wrong)}; remove them, or name the right folder with --keys",
            )
        missing = self.missing()
        if missing and not without_keys:
            losses = "; ".join(f"without {name}, {LOSSES[key_of(name)]}" for name in missing)
            raise OperationProblem(
                "missing_keys",
                f"the backup has no keys, and these are missing: {', '.join(missing)}; name the "
                f"folder of your copy of the keys with --keys. If they are lost, restore with "
                f"--without-keys: {losses}",
            )

    def missing(self) -> list[str]:
        """Return the names of the keys that are nowhere."""
        found = set(self._outside_archive())
        if self.manifest.has_keys:
            found.update(self.manifest.key_fingerprints)
        return sorted(self.manifest.key_fingerprints.keys() - found)

    def copy_to(self, folder: Path, unpacked: Path) -> None:
        """Copy the keys that the folder doesn't have yet.

        Args:
            folder: The folder of keys in the data folder.
            unpacked: The folder with the content of the archive.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in self.manifest.key_fingerprints:
            places = [place / name for place in (*self.folders, unpacked / KEYS)]
            source = next(filter(Path.is_file, places), None)
            if source and source != folder / name:
                durable.write_file(folder / name, source.read_bytes())
        durable.sync_folder(folder)

    def _outside_archive(self) -> list[str]:
        """Return the names of the keys that are in one of the folders."""
        names = self.manifest.key_fingerprints
        return [name for name in names if self._find(name)]

    def _find(self, name: str) -> Path | None:
        places = [folder / name for folder in self.folders]
        return next(filter(Path.is_file, places), None)

    def _is_right(self, name: str) -> bool:
        path = self._find(name)
        known = self.manifest.key_fingerprints[name]
        return path is not None and fingerprint(path.read_bytes()) == known
