"""Secret keys in files."""

import multiprocessing
import stat
from pathlib import Path

import pytest

from rollbook.secret_keys import KeyUnusable, load_newest_or_create, load_or_create_key


@pytest.mark.statement("S53")
def test_a_secret_is_created_once_and_readable_by_the_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    first = load_or_create_key(folder, "session")
    assert len(first) == 32
    assert load_or_create_key(folder, "session") == first
    assert load_or_create_key(folder, "other") != first
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "session").stat().st_mode) == 0o600


def test_processes_that_start_at_the_same_time_get_the_same_secret(tmp_path: Path) -> None:
    with multiprocessing.get_context("fork").Pool(8) as pool:
        results = pool.starmap(load_or_create_key, [(tmp_path, "session")] * 40)
    assert len(set(results)) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["session"]


def test_an_unreadable_key_is_an_error_and_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "session").mkdir()
    with pytest.raises(KeyUnusable, match=r"session cannot be read \(Is a directory\)"):
        load_or_create_key(tmp_path, "session")


@pytest.mark.statement("S53")
@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "is empty"), (bytes(31), "has 31 bytes instead of 32"), (bytes(33), "has 33 bytes")],
)
def test_a_damaged_key_is_an_error_and_not_replaced(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    (tmp_path / "session.2").write_bytes(content)
    with pytest.raises(KeyUnusable, match=reason):
        load_or_create_key(tmp_path, "session", 2)
    assert (tmp_path / "session.2").read_bytes() == content


def test_the_newest_version_has_the_highest_number(tmp_path: Path) -> None:
    first = load_newest_or_create(tmp_path, "session")
    assert load_newest_or_create(tmp_path, "session") == first
    tenth = load_or_create_key(tmp_path, "session", 10)
    load_or_create_key(tmp_path, "session", 9)
    load_or_create_key(tmp_path, "session-of-others", 11)
    (tmp_path / "session.bak").write_bytes(bytes(32))
    assert load_newest_or_create(tmp_path, "session") == tenth
