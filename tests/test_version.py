"""The version, and the commit that the package was built from."""

import subprocess
from pathlib import Path

import pytest

from rollbook import version

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """The folder of a package in a folder like a clone, but without git."""
    package = tmp_path / "src" / "rollbook"
    package.mkdir(parents=True)
    (tmp_path / "pyproject.toml").touch()
    return package


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=Ana Ruiz", "-c", "user.email=ana@maple.example"]
    command = ["git", "-C", str(folder), *who, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_a_package_that_was_built_contains_its_commit(package: Path) -> None:
    (package / version.COMMIT_FILE).write_text(f"{COMMIT}\n")
    assert version.find_commit(package) == COMMIT[:12]


def test_the_commit_of_a_clone_is_read_from_git(package: Path) -> None:
    clone = package.parents[1]
    git(clone, "init", "--quiet")
    assert version.find_commit(package) == "unknown"  # no commit yet
    git(clone, "commit", "--quiet", "--allow-empty", "--message", "Begin")
    assert version.find_commit(package) == git(clone, "rev-parse", "HEAD")[:12]


def test_an_environment_within_a_clone_of_something_else_has_no_commit(package: Path) -> None:
    root = package.parents[1]
    (root / "pyproject.toml").unlink()
    git(root, "init", "--quiet")
    git(root, "commit", "--quiet", "--allow-empty", "--message", "Begin")
    assert version.find_commit(package) == "unknown"


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe"])
def test_a_damaged_commit_is_unknown(package: Path, content: bytes) -> None:
    (package / version.COMMIT_FILE).write_bytes(content)
    assert version.find_commit(package) == "unknown"


def test_a_missing_git_is_no_error(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (package.parents[1] / ".git").mkdir()
    monkeypatch.setenv("PATH", "/nowhere")
    assert version.find_commit(package) == "unknown"


def test_the_description_names_version_and_commit() -> None:
    assert version.describe() == f"{version.VERSION} (commit {version.COMMIT})"
