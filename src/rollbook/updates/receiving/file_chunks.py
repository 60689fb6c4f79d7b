"""An uploaded file in the database, in pieces: how it reaches the workers of other machines."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from django.db import connection

from rollbook.updates.models import FileChunk

CHUNK_BYTES = 1 << 20  # bytes


def write(name: str, path: Path) -> None:
    """Copy the file into the database, in the caller's transaction."""
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
    """Whether the file was written."""
    return FileChunk.objects.filter(spool_name=name).exists()


def remove(names: Iterable[str]) -> None:
    """Take these files away."""
    FileChunk.objects.filter(spool_name__in=list(names)).delete()


def read(name: str) -> Iterator[bytes]:
    """The pieces in their order."""
    numbers = (
        FileChunk.objects.filter(spool_name=name).order_by("number").values_list("pk", flat=True)
    )
    for pk in list(numbers):
        yield bytes(FileChunk.objects.values_list("data", flat=True).get(pk=pk))
