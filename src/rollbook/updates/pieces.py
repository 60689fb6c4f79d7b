"""An uploaded file in the database, in pieces: how it reaches the workers of other machines."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from django.db import connection

from rollbook.updates.models import Piece

SIZE = 1 << 20  # bytes


def write(name: str, path: Path) -> None:
    """Copy the file into the database, in the caller's transaction."""
    with (
        path.open("rb") as file,
        connection.wrap_database_errors,
        connection.cursor() as cursor,
        cursor.copy("COPY updates_piece (spool_name, number, data) FROM STDIN (FORMAT BINARY)") as copy,
    ):
        copy.set_types(["varchar", "int4", "bytea"])
        for number, data in enumerate(iter(lambda: file.read(SIZE), b"")):
            copy.write_row((name, number, data))


def are_there(name: str) -> bool:
    """Whether the file was written."""
    return Piece.objects.filter(spool_name=name).exists()


def remove(names: Iterable[str]) -> None:
    """Take these files away."""
    Piece.objects.filter(spool_name__in=list(names)).delete()


def read(name: str) -> Iterator[bytes]:
    """The pieces in their order."""
    numbers = Piece.objects.filter(spool_name=name).order_by("number").values_list("pk", flat=True)
    for pk in list(numbers):
        yield bytes(Piece.objects.values_list("data", flat=True).get(pk=pk))
