"""The server without encryption, with which the benchmark compares."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench import encryption

WRITE_AND_READ = """
import sys, uuid
from pathlib import Path
from rollbook.encrypted_file import FRAME_BYTES, HEADER_BYTES, EncryptedFile, FrameWriter
path, key, file_id = Path(sys.argv[1]), bytes(32), uuid.uuid4()
text = b"STUDENT_ID" * FRAME_BYTES
with path.open("wb") as file:
    file.write(bytes(HEADER_BYTES))
    writer = FrameWriter(file, key, file_id)
    writer.write(text)
    writer.finish()
with EncryptedFile(path, file_id, key).open("rb") as file:
    assert file.read() == text
"""


@pytest.mark.process
@pytest.mark.parametrize("way", [encryption.ENCRYPTED, encryption.COPIED])
def test_a_file_is_encrypted_or_only_copied(tmp_path: Path, way: str) -> None:
    file = tmp_path / "file"
    subprocess.run(
        [sys.executable, "-c", WRITE_AND_READ, file],
        env=os.environ | encryption._environment(way),
        check=True,
    )
    encryption._check(file, way)
