"""Secret keys in files next to the database, never in it; each is created at its first use."""

import hashlib
import os
import secrets
import tempfile
from pathlib import Path

KEY_BYTES = 32


def load_or_create_key(folder: Path, name: str) -> bytes:
    """Return the 32 random bytes in ``folder/name``, and create the file (mode 0600) if needed.

    Two processes that start at the same time get the same bytes: the complete file is created by a
    hard link, which fails if the file exists.
    """
    path = folder / name
    try:
        return path.read_bytes()
    except FileNotFoundError:
        _create(path)
        return path.read_bytes()


def derive_key(folder: Path, name: str, purpose: str) -> bytes:
    """Derive 32 bytes for one purpose from the key ``name``.

    Machines that share the key derive the same bytes.
    """
    key = load_or_create_key(folder, name)
    return hashlib.blake2b(purpose.encode(), key=key, digest_size=KEY_BYTES).digest()


def _create(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(temporary, path)
        except FileExistsError:
            return
    finally:
        Path(temporary).unlink()
