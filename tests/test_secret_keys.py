"""Secrets beside the database."""

import multiprocessing
import stat
from pathlib import Path

import pytest

from rollbook.secret_keys import secret


def test_a_secret_is_made_once_and_is_nobody_elses_to_read(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    first = secret(folder, "session")
    assert len(first) == 32
    assert secret(folder, "session") == first
    assert secret(folder, "other") != first
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "session").stat().st_mode) == 0o600


def test_processes_that_start_at_once_get_the_same_secret(tmp_path: Path) -> None:
    with multiprocessing.get_context("fork").Pool(8) as pool:
        made = pool.starmap(secret, [(tmp_path, "session")] * 40)
    assert len(set(made)) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["session"]


def test_a_key_that_cannot_be_read_is_an_error_and_never_a_new_key(tmp_path: Path) -> None:
    (tmp_path / "session").mkdir()
    with pytest.raises(IsADirectoryError):
        secret(tmp_path, "session")
