"""Encrypted files: every frame can be read alone, and nothing that was changed is read."""

import io
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID, uuid4

import pytest

from rollbook import encrypted_file
from rollbook.encrypted_file import (
    HEADER_BYTES,
    EncryptedFile,
    FileDamaged,
    FileHeader,
    FrameWriter,
    read_header,
)

pytestmark = pytest.mark.statement("S36")

FRAME = 64
SEALED = FRAME + 16
KEY, OTHER_KEY = bytes(range(32)), bytes(32)


@pytest.fixture(autouse=True)
def small_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encrypted_file, "FRAME_BYTES", FRAME)
    monkeypatch.setattr(encrypted_file, "_SEALED_FRAME_BYTES", SEALED)


def text_of(size: int) -> bytes:
    return Random(size).randbytes(size)


def written(path: Path, text: bytes, *, key: bytes = KEY, piece: int = 50) -> EncryptedFile:
    """Write a file in pieces, as it arrives."""
    file_id = uuid4()
    with path.open("wb") as file:
        file.write(FileHeader.wrap(file_id, key, uuid4(), OTHER_KEY).to_bytes())
        writer = FrameWriter(file, key, file_id)
        for start in range(0, len(text), piece):
            writer.write(text[start : start + piece])
        writer.finish()
        writer.finish()
    return EncryptedFile(path, file_id, key)


def read(file: EncryptedFile) -> bytes:
    with file.open("rb") as content:
        return content.read()


def read_into(file: EncryptedFile, read: bytearray) -> None:
    with file.open("rb") as content:
        while piece := content.read(FRAME):
            read += piece


@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 127, 128, 129, 1000])
@pytest.mark.parametrize("piece", [1, 64, 1000])
def test_a_file_of_any_size_is_read_as_it_was_written(
    tmp_path: Path, size: int, piece: int
) -> None:
    file = written(tmp_path / "file", text_of(size), piece=piece)
    assert read(file) == text_of(size)
    frames = max(1, -(-size // FRAME))
    assert file.path.stat().st_size == HEADER_BYTES + size + 16 * frames


def test_a_file_contains_none_of_its_text(tmp_path: Path) -> None:
    file = written(tmp_path / "file", b"Anna Zimmer,s00123\n" * 40)
    data = file.path.read_bytes()
    assert not any(word in data for word in (b"Anna", b"Zimmer", b"s00123"))


def test_equal_frames_and_equal_files_are_encrypted_differently(tmp_path: Path) -> None:
    """Each frame has a nonce of its own, and each file a key of its own."""
    files = [written(tmp_path / str(number), bytes(5 * FRAME)) for number in range(2)]
    sealed = [
        file.path.read_bytes()[HEADER_BYTES + number * SEALED :][:SEALED]
        for file in files
        for number in range(5)
    ]
    assert len(set(sealed)) == len(sealed)


def test_reading_can_begin_anywhere(tmp_path: Path) -> None:
    text, random = text_of(1000), Random(7)
    with written(tmp_path / "file", text).open("rb") as file:
        for _ in range(200):
            start, size = random.randrange(1100), random.randrange(300)
            assert file.seek(start) == start
            assert file.read(size) == text[start : start + size]
        assert file.seek(0, os.SEEK_END) == 1000
        assert file.seek(-10, os.SEEK_END) == 990
        assert file.read() == text[990:]


def test_a_frame_is_read_alone(tmp_path: Path) -> None:
    """Damage elsewhere makes no difference to it."""
    text = text_of(5 * FRAME)
    file = written(tmp_path / "file", text)
    data = bytearray(file.path.read_bytes())
    for number in (0, 1, 3, 4):
        data[HEADER_BYTES + number * SEALED] ^= 1
    file.path.write_bytes(data)
    with file.open("rb") as content:
        content.seek(2 * FRAME)
        frame = content.read1(FRAME)
    assert frame == text[2 * FRAME : 3 * FRAME]


def test_nothing_is_written_after_the_last_frame() -> None:
    writer = FrameWriter(io.BytesIO(), KEY, uuid4())
    writer.finish()
    with pytest.raises(ValueError, match="last frame"):
        writer.write(b"more")


HARMS: dict[str, Callable[[list[bytes], list[bytes]], list[bytes]]] = {
    "a bit": lambda own, other: [own[0], bytes([own[1][0] ^ 1]) + own[1][1:], *own[2:]],
    "two frames exchanged": lambda own, other: [own[1], own[0], *own[2:]],
    "a frame twice": lambda own, other: [own[0], own[0], *own[2:]],
    "the first frame removed": lambda own, other: own[1:],
    "a frame in between removed": lambda own, other: [own[0], *own[2:]],
    "the last frame removed": lambda own, other: own[:-1],
    "all but the first frame removed": lambda own, other: own[:1],
    "all frames removed": lambda own, other: [],
    "the last byte removed": lambda own, other: [*own[:-1], own[-1][:-1]],
    "most of the last frame removed": lambda own, other: [*own[:-1], own[-1][:3]],
    "a byte appended": lambda own, other: [*own, b"x"],
    "a frame appended": lambda own, other: [*own, own[-1]],
    "a frame of another file": lambda own, other: [own[0], other[1], *own[2:]],
    "the last frame of another file": lambda own, other: [*own[:-1], other[-1]],
    "all frames of another file": lambda own, other: other,
}


@pytest.mark.parametrize("same_key", [True, False])
@pytest.mark.parametrize("harm", HARMS)
def test_a_file_that_was_changed_is_never_read_to_its_end(
    tmp_path: Path, harm: str, same_key: bool
) -> None:
    """What is read before the damage is what was written."""
    texts = [text_of(4 * FRAME + 30), text_of(4 * FRAME + 31)]
    keys = [KEY, KEY if same_key else OTHER_KEY]
    own, other = (
        written(tmp_path / str(number), text, key=key)
        for number, (text, key) in enumerate(zip(texts, keys, strict=True))
    )
    frames = []
    for file in (own, other):
        body = file.path.read_bytes()[HEADER_BYTES:]
        frames.append([body[start : start + SEALED] for start in range(0, len(body), SEALED)])
    header = own.path.read_bytes()[:HEADER_BYTES]
    own.path.write_bytes(header + b"".join(HARMS[harm](*frames)))
    was_read = bytearray()
    with pytest.raises(FileDamaged):
        read_into(own, was_read)
    assert texts[0].startswith(was_read)


@pytest.mark.parametrize("size", [0, 1])
def test_an_emptied_file_is_not_taken_for_an_empty_one(tmp_path: Path, size: int) -> None:
    file = written(tmp_path / "file", text_of(size))
    data = bytearray(file.path.read_bytes())
    file.path.write_bytes(data[:HEADER_BYTES] + bytes(16))
    with pytest.raises(FileDamaged):
        read(file)


def test_a_file_is_read_with_its_own_id_and_key_only(tmp_path: Path) -> None:
    file = written(tmp_path / "file", b"text")
    for other in (replace(file, file_id=uuid4()), replace(file, key=OTHER_KEY)):
        with pytest.raises(FileDamaged, match="frame 0 is not what was written"):
            read(other)


# The header


def test_the_header_has_the_wrapped_key(tmp_path: Path) -> None:
    wrapping_key, wrapping_key_id, file_id = os.urandom(32), uuid4(), uuid4()
    header = FileHeader.wrap(file_id, KEY, wrapping_key_id, wrapping_key)
    path = tmp_path / "file"
    path.write_bytes(header.to_bytes() + b"frames")
    assert KEY not in path.read_bytes()
    assert read_header(path) == header
    assert header.unwrap(wrapping_key) == KEY
    assert (header.file_id, header.wrapping_key_id) == (file_id, wrapping_key_id)


@pytest.mark.parametrize(
    "change",
    [
        {"file_id": UUID(int=1)},
        {"wrapping_key_id": UUID(int=1)},
        {"wrapped_key": bytes(60)},
    ],
)
def test_a_changed_header_is_detected(change: dict[str, Any]) -> None:
    header = FileHeader.wrap(uuid4(), KEY, uuid4(), OTHER_KEY)._replace(**change)
    with pytest.raises(FileDamaged, match="key cannot be decrypted"):
        header.unwrap(OTHER_KEY)


def test_another_key_unwraps_nothing() -> None:
    with pytest.raises(FileDamaged):
        FileHeader.wrap(uuid4(), KEY, uuid4(), OTHER_KEY).unwrap(KEY)


def test_a_file_of_an_older_version_has_no_header(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for data in (b"", b"STUDENT_ID\n", b"R"):
        path.write_bytes(data)
        assert read_header(path) is None


def test_an_incomplete_header_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(encrypted_file.MAGIC + b"x")
    with pytest.raises(FileDamaged, match="header is incomplete"):
        read_header(path)
