"""Secret keys in files next to the database, never in it; each is created at its first use.

The first version of a key is in the file ``NAME``, later ones are in ``NAME.2``, ``NAME.3`` and so
on. Which of them is used is stored in the database, see ``rollbook.accounts.key_ring``.
"""

import hashlib
import os
import secrets
import tempfile
from pathlib import Path

KEY_BYTES = 32
FIRST_VERSION = 1


class KeyUnusable(Exception):
    """A key file is missing or damaged.

    Attributes:
        path: The file.
        reason: What is wrong with it, as the end of a sentence.
    """

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} {reason}")
        self.path = path
        self.reason = reason


def file_name(name: str, version: int) -> str:
    """Return the name of the file of a version of a key."""
    return name if version == FIRST_VERSION else f"{name}.{version}"


def read_key(folder: Path, name: str, version: int = FIRST_VERSION) -> bytes:
    """Return the 32 random bytes of a version of a key.

    Raises:
        KeyUnusable: The file is missing, can't be read, or doesn't have 32 bytes.
    """
    path = folder / file_name(name, version)
    try:
        key = path.read_bytes()
    except FileNotFoundError:
        raise KeyUnusable(path, "is missing") from None
    except OSError as error:
        raise KeyUnusable(path, f"cannot be read ({error.strerror})") from None
    if len(key) != KEY_BYTES:
        size = f"has {len(key)} bytes instead of {KEY_BYTES}" if key else "is empty"
        raise KeyUnusable(path, size)
    return key


def load_or_create_key(folder: Path, name: str, version: int = FIRST_VERSION) -> bytes:
    """Return the 32 random bytes of a version of a key, and create the file if it is missing.

    Its mode is 0600. Two processes that start at the same time get the same bytes: the complete
    file is created by a hard link, which fails if the file exists.

    Raises:
        KeyUnusable: The file exists, but can't be used.
    """
    path = folder / file_name(name, version)
    if not path.exists():
        _create(path)
    return read_key(folder, name, version)


def load_newest_or_create(folder: Path, name: str) -> bytes:
    """Return the newest version of a key, and create the first one if there is none.

    Raises:
        KeyUnusable: The file exists, but can't be used.
    """
    suffixes = (path.name.removeprefix(f"{name}.") for path in folder.glob(f"{name}.*"))
    versions = (int(suffix) for suffix in suffixes if suffix.isdecimal())
    return load_or_create_key(folder, name, max(versions, default=FIRST_VERSION))


def new_key() -> bytes:
    """Return the random bytes of a new key."""
    return secrets.token_bytes(KEY_BYTES)


def derive_key(key: bytes, purpose: str) -> bytes:
    """Derive 32 bytes for one purpose from a key.

    Machines that share the key derive the same bytes.
    """
    return hashlib.blake2b(purpose.encode(), key=key, digest_size=KEY_BYTES).digest()


def fingerprint(key: bytes) -> str:
    """Return a fingerprint of the key, from which the key can't be derived."""
    return hashlib.blake2b(b"mark", key=key, digest_size=16).hexdigest()


def _create(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(new_key())
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(temporary, path)
        except FileExistsError:
            return
    finally:
        Path(temporary).unlink()
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make the new name in the folder survive a power failure."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
