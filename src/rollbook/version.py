"""The version of Rollbook, and the commit that it was built from.

A wheel or source distribution contains the commit in the file ``commit`` (see ``setup.py``). In a
clone, git knows it. Otherwise it is unknown.
"""

import subprocess
from pathlib import Path

from rollbook import __version__

UNKNOWN = "unknown"
COMMIT_FILE = "commit"  # in the folder of the package
_COMMIT_LENGTH = 12
_GIT_TIMEOUT_S = 5.0


def find_commit(package: Path) -> str:
    """Return the first digits of the commit that a copy of the package was built from.

    Args:
        package: The folder of the package.

    Returns:
        The digits, or ``UNKNOWN``. This never fails.
    """
    try:
        commit = (package / COMMIT_FILE).read_text(encoding="ascii")
    except (OSError, ValueError):
        commit = _commit_of_clone(package.parents[1])
    return commit.strip()[:_COMMIT_LENGTH] or UNKNOWN


def _commit_of_clone(root: Path) -> str:
    """Return the commit that is checked out; empty if the folder is no clone of Rollbook."""
    # An environment may be within a clone of something else.
    if not ((root / ".git").exists() and (root / "pyproject.toml").exists()):
        return ""
    command = ["git", "-C", str(root), "rev-parse", "HEAD"]
    try:
        return subprocess.run(  # noqa: S603 - our own command
            command, capture_output=True, text=True, timeout=_GIT_TIMEOUT_S, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return ""


VERSION = __version__
COMMIT = find_commit(Path(__file__).parent)


def describe() -> str:
    """Return the version and the commit, such as ``0.2.0 (commit 1a2b3c4d5e6f)``."""
    return f"{VERSION} (commit {COMMIT})"
