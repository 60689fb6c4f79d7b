"""Secrets that stand beside the database and never in it: one file each, made at first use."""

import hashlib
import os
import secrets
import tempfile
from pathlib import Path


def secret(folder: Path, name: str) -> bytes:
    """The 32 random bytes in ``folder/name``, made with mode 0600 if nobody has made them yet.

    Two processes that start at once get the same bytes: the file appears whole, by a link, or not at all.
    """
    path = folder / name
    try:
        return path.read_bytes()
    except FileNotFoundError:
        _make(path)
        return path.read_bytes()


def derived(folder: Path, name: str, purpose: str) -> bytes:
    """32 bytes that are for this purpose alone, out of the key ``name``: machines that share it share these too."""
    return hashlib.blake2b(purpose.encode(), key=secret(folder, name), digest_size=32).digest()


def _make(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(32))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return
    finally:
        Path(draft).unlink()
