"""Copies the frames of files instead of encrypting them, in the process that imports it.

Python imports it when it starts, if PYTHONPATH names this folder; see ``bench/encryption.py``.
"""

from uuid import UUID

from rollbook import encrypted_file


class _CopiedFrames:
    def __init__(self, key: bytes, file_id: UUID) -> None: ...

    def encrypt(self, text: bytes | memoryview, number: int, *, is_last: bool) -> bytes:
        return b"".join((text, bytes(encrypted_file._TAG_BYTES)))

    def decrypt(self, sealed: bytes, number: int, *, is_last: bool) -> bytes:
        return sealed[: -encrypted_file._TAG_BYTES]


setattr(encrypted_file, "_FrameCipher", _CopiedFrames)  # noqa: B010 - its type is another one
