"""Write and read the archive of a backup: a tar file whose first member is the manifest."""

import hashlib
import io
import os
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from rollbook.operations import durable
from rollbook.operations.backup import manifest as manifest_module
from rollbook.operations.backup.manifest import ArchivedFile, Manifest
from rollbook.operations.problem import OperationProblem

SUFFIXES = (".tar", ".tar.gz")
COMPRESSION_LEVEL = 3
MAX_MANIFEST_BYTES = 64 << 20
BUFFER_BYTES = 1 << 20

_UNREADABLE = (tarfile.TarError, EOFError, zlib.error)


def describe_file(path: Path) -> ArchivedFile:
    """Return the size and the digest of a file."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return ArchivedFile(os.fstat(file.fileno()).st_size, digest)


def write_archive(path: Path, manifest: Manifest, sources: Mapping[str, Path]) -> None:
    """Write an archive and sync it to the disk.

    Args:
        path: Where to write it; compressed if ``manifest`` is to be, see ``is_compressed``.
        manifest: The manifest; its files are the keys of ``sources``.
        sources: Where each file is.
    """
    with path.open("wb") as file:
        with _opened_to_write(file, path) as archive:
            _add(archive, manifest_module.NAME, manifest.to_json(), manifest)
            for name, source in sources.items():
                info = _member(name, manifest.files[name].bytes, manifest)
                with source.open("rb") as content:
                    archive.addfile(info, content)
        file.flush()
        durable.sync(file.fileno())


def is_compressed(path: Path) -> bool:
    """Return whether an archive of this name is compressed."""
    return path.name.endswith(".gz")


@contextmanager
def open_archive(path: Path) -> "Iterator[ArchiveReader]":
    """Open an archive and read its manifest.

    Raises:
        OperationProblem: It is damaged, not one of Rollbook, or of a newer version.
    """
    with path.open("rb") as file:
        try:
            with tarfile.open(fileobj=file, mode="r:*", bufsize=BUFFER_BYTES) as archive:
                yield ArchiveReader(path, archive)
        except _UNREADABLE as error:
            raise _damaged(path, f"it can't be read ({error})") from None
        except OSError as error:
            if error.errno is None:  # of gzip; those of the system have a number
                raise _damaged(path, f"it can't be read ({error})") from None
            raise


class ArchiveReader:
    """An archive that is being read.

    Attributes:
        path: Where it is.
        manifest: Its manifest.
    """

    def __init__(self, path: Path, archive: tarfile.TarFile) -> None:
        self.path = path
        self._archive = archive
        self.manifest = self._read_manifest()

    def unpack(self, folder: Path) -> None:
        """Unpack and verify all files into an empty folder, and sync them to the disk.

        Only names that the manifest has are written, and only as plain files.

        Raises:
            OperationProblem: The archive is damaged; the text names the file.
        """
        missing = dict(self.manifest.files)
        for member in self._archive:
            if member.name == manifest_module.NAME:
                continue
            expected = missing.pop(member.name, None)
            if expected is None or not member.isreg() or member.size != expected.bytes:
                raise _damaged(self.path, f"{member.name!r} in it is not what was written")
            self._unpack(member, folder / member.name, expected)
        if missing:
            raise _damaged(self.path, f"{min(missing)} is missing from it")
        for each in sorted({path.parent for path in folder.rglob("*")} | {folder}):
            durable.sync_folder(each)

    def _unpack(self, member: tarfile.TarInfo, target: Path, expected: ArchivedFile) -> None:
        content = self._archive.extractfile(member)
        if content is None:
            raise _damaged(self.path, f"{member.name!r} in it is not a file")
        target.parent.mkdir(mode=0o700, exist_ok=True)
        digest = hashlib.sha256()
        with target.open("xb") as file:
            while data := content.read(BUFFER_BYTES):
                digest.update(data)
                file.write(data)
            file.flush()
            durable.sync(file.fileno())
        if digest.hexdigest() != expected.sha256:
            raise _damaged(self.path, f"the content of {member.name} has changed")

    def _read_manifest(self) -> Manifest:
        member = self._archive.next()
        if member is None or member.name != manifest_module.NAME or not member.isreg():
            raise OperationProblem(
                "not_a_backup",
                f"{self.path} is not a backup; name a file that `rollbook backup` wrote",
            )
        content = self._archive.extractfile(member)
        if content is None or member.size > MAX_MANIFEST_BYTES:
            raise _damaged(self.path, f"{manifest_module.NAME} in it can't be read")
        return Manifest.from_json(content.read())


def _damaged(path: Path, problem: str) -> OperationProblem:
    return OperationProblem(
        "damaged_backup",
        f"the backup {path} is damaged: {problem}; copy it again, or use another backup",
    )


@contextmanager
def _opened_to_write(file: IO[bytes], path: Path) -> Iterator[tarfile.TarFile]:
    if is_compressed(path):
        with tarfile.open(
            fileobj=file,
            mode="w:gz",
            format=tarfile.PAX_FORMAT,
            compresslevel=COMPRESSION_LEVEL,
            bufsize=BUFFER_BYTES,
        ) as archive:
            yield archive
    else:
        with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
            yield archive


def _add(archive: tarfile.TarFile, name: str, content: bytes, manifest: Manifest) -> None:
    archive.addfile(_member(name, len(content), manifest), io.BytesIO(content))


def _member(name: str, size: int, manifest: Manifest) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o600
    info.mtime = int(manifest.created_at.timestamp())
    return info
