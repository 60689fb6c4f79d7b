"""Let errors name the file that a person has asked for."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def errors_naming(path: Path) -> Iterator[None]:
    """Let an error name this path, and not the unfinished file that becomes it.

    Raises:
        OSError: The same error with this path.
    """
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None
