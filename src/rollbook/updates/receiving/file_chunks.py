"""Store uploaded files in the database, in chunks, for workers on other machines."""

import hashlib
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

from django.db.models import Sum
from django.db.models.functions import Length

from rollbook.db import bulk
from rollbook.updates.models import FileChunk

CHUNK_BYTES = 1 << 20


def write(name: str, path: Path) -> None:
    """Copy a file into the database, in the caller's transaction."""
    with path.open("rb") as file:
        parts = enumerate(iter(partial(file.read, CHUNK_BYTES), b""))
        bulk.insert_packed(
            FileChunk,
            (FileChunk(spool_name=name, number=number, data=data) for number, data in parts),
        )


def exist(name: str) -> bool:
    """Return whether the file is in the database."""
    return FileChunk.objects.filter(spool_name=name).exists()


def size(name: str) -> int:
    """Return the bytes of a file in the database; 0 if it isn't there."""
    lengths = FileChunk.objects.filter(spool_name=name).aggregate(total=Sum(Length("data")))
    return lengths["total"] or 0


def remove(names: Iterable[str]) -> None:
    """Remove these files from the database."""
    FileChunk.objects.filter(spool_name__in=list(names)).delete()


def read(name: str) -> Iterator[bytes]:
    """Yield the chunks of a file in order."""
    chunks = FileChunk.objects.filter(spool_name=name).order_by("number")
    yield from map(bytes, bulk.one_by_one(chunks.values_list("data", flat=True)))


def digest(name: str) -> str:
    """Return the SHA-256 of a file in the database, in hexadecimal."""
    found = hashlib.sha256()
    for data in read(name):
        found.update(data)
    return found.hexdigest()
