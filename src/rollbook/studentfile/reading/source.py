"""What a student file is read from: a path, or anything that is opened in the same way."""

import io
import os
from typing import Literal, Protocol


class Source(Protocol):
    """A file that can be opened any number of times, such as a path or an encrypted file."""

    def open(self, mode: Literal["rb"], /) -> io.BufferedReader:
        """Open the file.

        Raises:
            OSError: The file can't be read.
        """


def size_of(source: Source) -> int:
    """Return the bytes of a file.

    Raises:
        OSError: The file can't be read.
    """
    with source.open("rb") as file:
        return file.seek(0, os.SEEK_END)
