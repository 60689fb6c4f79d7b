"""Store uploaded files in the database, in chunks, for workers on other machines."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from django.db import connection

from rollbook.updates.models import FileChunk

CHUNK_BYTES = 1 << 20


def write(name: str, path: Path) -> None:
    """Copy a file into the database, in the caller's transaction."""
    with (
        path.open("rb") as file,
        connection.wrap_database_errors,
        connection.cursor() as cursor,
        cursor.copy(
            "COPY updates_filechunk (spool_name, number, data) FROM STDIN (FORMAT BINARY)"
        ) as copy,
    ):
        copy.set_types(["varchar", "int4", "bytea"])
        for number, data in enumerate(iter(lambda: file.read(CHUNK_BYTES), b"")):
            copy.write_row((name, number, data))


def exist(name: str) -> bool:
    """Return whether the file is in the database."""
    return FileChunk.objects.filter(spool_name=name).exists()


def remove(names: Iterable[str]) -> None:
    """Remove these files from the database."""
    FileChunk.objects.filter(spool_name__in=list(names)).delete()


def read(name: str) -> Iterator[bytes]:
    """Yield the chunks of a file in order."""
    chunks = FileChunk.objects.filter(spool_name=name).order_by("number")
    for pk in list(chunks.values_list("pk", flat=True)):
        yield bytes(FileChunk.objects.values_list("data", flat=True).get(pk=pk))


def digest(name: str) -> str:
    """Return the SHA-256 of a file in the database, in hexadecimal."""
    found = hashlib.sha256()
    for data in read(name):
        found.update(data)
    return found.hexdigest()
