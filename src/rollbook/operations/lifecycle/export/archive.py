"""Write the archive of a district: each table as CSV and JSON lines, the stored files, a manifest.

1. Everything is read as it was at one moment, row by row, into a file without its final name.
2. The file is synced, and the export is recorded with its digest before the file gets its name: so
   no export exists that the audit doesn't know.
3. If the process is killed, the next export to the same folder removes what was left.
"""

import fcntl
import hashlib
import json
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from io import BufferedRandom
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from django.db import transaction

from rollbook.accounts.audit import log
from rollbook.db.read_snapshot import read_snapshot
from rollbook.districts.models import District
from rollbook.file_errors import errors_naming
from rollbook.operations.lifecycle.export import readme
from rollbook.operations.lifecycle.export.table import Table, timestamp
from rollbook.operations.lifecycle.export.tables import TABLES
from rollbook.operations.models import DistrictExport
from rollbook.students import snapshots
from rollbook.system_accounts import command_agent
from rollbook.text import count_of
from rollbook.updates.exports.original_rows import OriginalRowsFile
from rollbook.updates.models import UpdateJob
from rollbook.updates.receiving.files import FileMissing
from rollbook.updates.state_machine import State

FORMAT = "rollbook district export 1"
UNFINISHED_PREFIX, UNFINISHED_SUFFIX = ".rollbook-export-", ".part"
BUFFER_BYTES = 1 << 18


class FileExists(Exception):
    """There is already a file with the name of the archive."""


class _NotReadable(Exception):
    """The file of an update can't be exported; the text says why."""


@dataclass
class Content:
    """What the archive contains.

    Attributes:
        tables: For each table, its entry in the manifest.
        files: For each uploaded file, its entry in the manifest.
        left_out: Why files of updates are not in the archive.
        students: The primary keys of the district's students.
    """

    tables: list[dict[str, Any]] = field(default_factory=list)
    files: list[dict[str, Any]] = field(default_factory=list)
    left_out: list[dict[str, Any]] = field(default_factory=list)
    students: list[int] = field(default_factory=list)


def export(district: District, target: Path, now: datetime) -> DistrictExport:
    """Write a district's archive, which appears when it is complete or not at all.

    Args:
        district: The district.
        target: The name of the archive, or a folder for it.
        now: The present time.

    Raises:
        FileExists: There is a file with that name.
        OSError: The folder doesn't exist, or the disk is full.
    """
    path = _path(district, target, now)
    if path.exists():
        raise FileExists(str(path))
    with _unnamed_file(path.parent) as (part, file):
        with read_snapshot():
            content = _write(district, file, now)
        file.flush()
        os.fsync(file.fileno())
        size = file.tell()
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        with transaction.atomic():
            made, _ = DistrictExport.objects.update_or_create(
                district=district,
                defaults={"path": str(path), "size": size, "digest": digest, "exported_at": now},
            )
            log.record(
                "district export",
                "done",
                district=district,
                agent=command_agent(),
                detail=f"{_summary(content)}, with confidential information, SHA-256 {digest}",
                students=content.students,
            )
        _give_name(part, path)
    return made


def _path(district: District, target: Path, now: datetime) -> Path:
    """Return the absolute path of the archive."""
    if target.is_dir():
        target /= f"{district.slug}-{now.astimezone(UTC):%Y%m%d-%H%M%S}.zip"
    return target.absolute()


@contextmanager
def _unnamed_file(folder: Path) -> Iterator[tuple[Path, BufferedRandom]]:
    """Create a file that is readable by its owner only, and remove it unless it got a name."""
    for path in folder.glob(f"{UNFINISHED_PREFIX}*{UNFINISHED_SUFFIX}"):
        _remove_if_unlocked(path)
    part = folder / f"{UNFINISHED_PREFIX}{secrets.token_hex(8)}{UNFINISHED_SUFFIX}"
    with errors_naming(folder):
        descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    file = os.fdopen(descriptor, "w+b")
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield part, file
    finally:
        part.unlink(missing_ok=True)
        with suppress(OSError):  # on a full disk, the rest of the buffer can't be written
            file.close()


def _remove_if_unlocked(path: Path) -> None:
    """Remove a file of an export that was killed."""
    with suppress(BlockingIOError, FileNotFoundError), path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        path.unlink()


def _give_name(part: Path, path: Path) -> None:
    """Rename the complete file, without replacing another one."""
    try:
        os.link(part, path)
    except FileExistsError:
        raise FileExists(str(path)) from None
    except PermissionError:  # the file system, such as that of a USB drive, has no links
        part.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _write(district: District, file: BufferedRandom, now: datetime) -> Content:
    content = Content(students=snapshots.list_district(district.pk))
    with ZipFile(file, "w", ZIP_DEFLATED, allowZip64=True) as archive:
        for table in TABLES:
            content.tables.append(_add_table(archive, table, district, now))
        _add_files(archive, content, district, now)
        manifest = _manifest(district, content, now)
        text = json.dumps(manifest, ensure_ascii=False, indent=2) + "\n"
        _add(archive, "manifest.json", [text], now)
        _add(archive, "README.txt", readme.lines(manifest), now)
    return content


def _add_table(archive: ZipFile, table: Table, district: District, now: datetime) -> dict[str, Any]:
    rows = 0

    def counted() -> Iterator[str]:
        nonlocal rows
        for line in table.json_lines(district):
            rows += 1
            yield line

    json_entry = _add(archive, f"{table.name}.jsonl", counted(), now)
    return {
        "name": table.name,
        "about": table.about,
        "rows": rows,
        "columns": [{"name": name, "about": about} for name, about in table.columns],
        "files": [
            _add(archive, f"{table.name}.csv", table.csv_lines(district), now),
            json_entry,
        ],
    }


def _add_files(archive: ZipFile, content: Content, district: District, now: datetime) -> None:
    """Add the files that are still stored, without their passwords."""
    stored = UpdateJob.objects.filter(district=district, file_removed_at=None)
    for update in stored.select_related("district").order_by("number").iterator():
        try:
            lines = _rows(update)
        except _NotReadable as reason:
            content.left_out.append({"update": update.number, "reason": str(reason)})
        else:
            entry = _add(archive, f"files/update-{update.number}.csv", lines, now)
            content.files.append({"update": update.number, **entry})


def _rows(update: UpdateJob) -> Iterable[str]:
    """Return the lines of an update's file.

    Raises:
        _NotReadable: The file can't be read.
    """
    if update.state == State.REFUSED or not update.header:
        raise _NotReadable("it was not accepted, so passwords in it can't be found")
    original = OriginalRowsFile(update)
    try:
        batches = original.rows(set)
    except FileMissing:
        raise _NotReadable("it is missing or damaged") from None
    return original.lines(original.cells(row) for rows in batches for row in rows)


def _add(archive: ZipFile, name: str, lines: Iterable[str], now: datetime) -> dict[str, Any]:
    """Add a text file; return its name, size and digest."""
    info = ZipInfo(name, now.astimezone(UTC).timetuple()[:6])
    info.compress_type = ZIP_DEFLATED
    info.external_attr = 0o600 << 16
    digest, size = hashlib.sha256(), 0
    with archive.open(info, "w", force_zip64=True) as entry:
        for data in _blocks(lines):
            entry.write(data)
            digest.update(data)
            size += len(data)
    return {"file": name, "bytes": size, "sha256": digest.hexdigest()}


def _blocks(lines: Iterable[str]) -> Iterator[bytes]:
    block = bytearray()
    for line in lines:
        block += line.encode("utf-8", "surrogatepass")
        if len(block) >= BUFFER_BYTES:
            yield bytes(block)
            block.clear()
    yield bytes(block)


def _manifest(district: District, content: Content, now: datetime) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "district": {"name": district.name, "short_name": district.slug},
        "exported_at": timestamp(now),
        "rollbook": version("rollbook"),
        "tables": content.tables,
        "files": content.files,
        "files_left_out": content.left_out,
    }


def _summary(content: Content) -> str:
    rows = {table["name"]: table["rows"] for table in content.tables}
    students = count_of(rows["students"], "student")
    return f"{students}, {count_of(len(content.files), 'file')}"
