"""Encrypted files: AES-256-GCM in frames of 64 KiB, each of which can be decrypted alone.

A file is a header of ``HEADER_BYTES`` and frames. The header contains the file's ID, the ID of the
key that its own key is wrapped with, and the wrapped key. Only the last frame can be shorter.

A file's key encrypts nothing else, and each frame once. So the nonce of a frame is its number, and
whether it is the last one; the file's ID is authenticated with it. Frames that were moved, removed
or replaced by those of another file can't be decrypted. Nobody can shorten a file either: its last
frame wasn't encrypted as the last one. See docs/decisions/0038-encryption-at-rest.md.
"""

import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal, NamedTuple, Self
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

FRAME_BYTES = 1 << 16
KEY_BYTES = 32
MAGIC = b"RBFILE\0\x01"  # no text begins with it
_ID_BYTES, _NONCE_BYTES, _TAG_BYTES = 16, 12, 16
_WRAPPED_BYTES = _NONCE_BYTES + KEY_BYTES + _TAG_BYTES
_SEALED_FRAME_BYTES = FRAME_BYTES + _TAG_BYTES
HEADER_BYTES = len(MAGIC) + 2 * _ID_BYTES + _WRAPPED_BYTES


class FileDamaged(Exception):
    """An encrypted file, or a wrapped key, isn't what was written; the text says where."""


class FileHeader(NamedTuple):
    """The beginning of an encrypted file.

    Attributes:
        file_id: The ID of the file.
        wrapping_key_id: The ID of the key with which the file's key is wrapped.
        wrapped_key: The file's key.
    """

    file_id: UUID
    wrapping_key_id: UUID
    wrapped_key: bytes

    @classmethod
    def wrap(cls, file_id: UUID, key: bytes, wrapping_key_id: UUID, wrapping_key: bytes) -> Self:
        """Return the header of a file with this key."""
        purpose = _purpose(file_id, wrapping_key_id)
        return cls(file_id, wrapping_key_id, wrap_key(wrapping_key, key, purpose))

    def unwrap(self, wrapping_key: bytes) -> bytes:
        """Return the file's key.

        Raises:
            FileDamaged: The header was changed.
        """
        purpose = _purpose(self.file_id, self.wrapping_key_id)
        return unwrap_key(wrapping_key, self.wrapped_key, purpose)

    def to_bytes(self) -> bytes:
        """Return the header as it is stored."""
        return b"".join((MAGIC, self.file_id.bytes, self.wrapping_key_id.bytes, self.wrapped_key))


def read_header(path: Path) -> FileHeader | None:
    """Return the header of a file; None if the file isn't encrypted.

    Raises:
        FileDamaged: The header is incomplete.
        OSError: The file can't be read.
    """
    with path.open("rb") as file:
        data = file.read(HEADER_BYTES)
    if not data.startswith(MAGIC):
        return None
    if len(data) < HEADER_BYTES:
        raise FileDamaged("the header is incomplete")
    ids, wrapped_key = data[len(MAGIC) : -_WRAPPED_BYTES], data[-_WRAPPED_BYTES:]
    return FileHeader(UUID(bytes=ids[:_ID_BYTES]), UUID(bytes=ids[_ID_BYTES:]), wrapped_key)


def wrap_key(wrapping_key: bytes, key: bytes, purpose: bytes) -> bytes:
    """Encrypt a key with another key; only the same purpose decrypts it."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(wrapping_key).encrypt(nonce, key, purpose)


def unwrap_key(wrapping_key: bytes, wrapped_key: bytes, purpose: bytes) -> bytes:
    """Decrypt a key that ``wrap_key`` encrypted.

    Raises:
        FileDamaged: It was encrypted with another key or for another purpose, or was changed.
    """
    nonce, sealed = wrapped_key[:_NONCE_BYTES], wrapped_key[_NONCE_BYTES:]
    try:
        return AESGCM(wrapping_key).decrypt(nonce, sealed, purpose)
    except InvalidTag:
        raise FileDamaged("its key cannot be decrypted") from None


class FrameWriter:
    """Encrypts a file while it is written; of its text, only the last frame is in memory."""

    def __init__(self, file: IO[bytes], key: bytes, file_id: UUID) -> None:
        """Write to a file whose position is the end of the header."""
        self._file = file
        self._cipher = _FrameCipher(key, file_id)
        self._rest = b""
        self._frames = 0
        self._is_finished = False

    def write(self, data: bytes) -> None:
        """Append bytes.

        Raises:
            OSError: The disk is full.
        """
        if self._is_finished:
            raise ValueError("the last frame has been written")
        text, at = memoryview(self._rest + data), 0
        while len(text) - at > FRAME_BYTES:
            self._write_frame(text[at : at + FRAME_BYTES], is_last=False)
            at += FRAME_BYTES
        self._rest = bytes(text[at:])

    def finish(self) -> None:
        """Write the last frame; from now on the file can be read. May be called again.

        Raises:
            OSError: The disk is full.
        """
        if not self._is_finished:
            self._is_finished = True
            self._write_frame(self._rest, is_last=True)
        self._file.flush()

    def _write_frame(self, text: bytes | memoryview, *, is_last: bool) -> None:
        self._file.write(self._cipher.encrypt(text, self._frames, is_last=is_last))
        self._frames += 1


@dataclass(frozen=True)
class EncryptedFile:
    """An encrypted file that is opened like a path.

    Attributes:
        path: Where it is.
        file_id: Its ID.
        key: Its key.
    """

    path: Path
    file_id: UUID
    key: bytes

    def open(self, mode: Literal["rb"], /) -> io.BufferedReader:
        """Open the decrypted file.

        Reading raises FileDamaged if a frame isn't what was written.

        Raises:
            FileDamaged: The file is incomplete.
            OSError: The file can't be read.
        """
        raw = _DecryptedFile(self.path.open(mode, buffering=0), self.key, self.file_id)
        return io.BufferedReader(raw, buffer_size=FRAME_BYTES)


class _DecryptedFile(io.RawIOBase):
    """The text of an encrypted file; holds one decrypted frame."""

    def __init__(self, file: io.FileIO, key: bytes, file_id: UUID) -> None:
        self._file = file
        self._cipher = _FrameCipher(key, file_id)
        sealed = os.fstat(file.fileno()).st_size - HEADER_BYTES
        self._frames = max(1, -(-sealed // _SEALED_FRAME_BYTES))
        self._size = sealed - self._frames * _TAG_BYTES
        if self._size < (self._frames - 1) * FRAME_BYTES:
            file.close()
            raise FileDamaged("the last frame is incomplete")
        self._position = 0
        self._frame_number, self._frame = -1, b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = max(0, start + offset)
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        if self._position >= self._size:
            # An empty file has a frame, too, which shows that it is complete.
            if self._size == 0:
                self._load_frame(0)
            return 0
        number, offset = divmod(self._position, FRAME_BYTES)
        self._load_frame(number)
        target = memoryview(buffer).cast("B")
        part = self._frame[offset : offset + len(target)]
        target[: len(part)] = part
        self._position += len(part)
        return len(part)

    def close(self) -> None:
        self._file.close()
        super().close()

    def _load_frame(self, number: int) -> None:
        if number == self._frame_number:
            return
        start = HEADER_BYTES + number * _SEALED_FRAME_BYTES
        sealed = os.pread(self._file.fileno(), _SEALED_FRAME_BYTES, start)
        is_last = number == self._frames - 1
        self._frame = self._cipher.decrypt(sealed, number, is_last=is_last)
        self._frame_number = number


class _FrameCipher:
    """Encrypts and decrypts the frames of one file."""

    def __init__(self, key: bytes, file_id: UUID) -> None:
        self._cipher = AESGCM(key)
        self._associated = MAGIC + file_id.bytes

    def encrypt(self, text: bytes | memoryview, number: int, *, is_last: bool) -> bytes:
        return self._cipher.encrypt(_nonce(number, is_last=is_last), text, self._associated)

    def decrypt(self, sealed: bytes, number: int, *, is_last: bool) -> bytes:
        try:
            return self._cipher.decrypt(_nonce(number, is_last=is_last), sealed, self._associated)
        except InvalidTag:
            raise FileDamaged(f"frame {number} is not what was written") from None


def _nonce(number: int, *, is_last: bool) -> bytes:
    return number.to_bytes(_NONCE_BYTES - 1, "big") + bytes([is_last])


def _purpose(file_id: UUID, wrapping_key_id: UUID) -> bytes:
    return MAGIC + file_id.bytes + wrapping_key_id.bytes
