"""Stores the commit in the wheel and the source distribution; the rest is in pyproject.toml."""

import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

sys.path.insert(0, str(Path(__file__).parent / "src"))

from rollbook.version import COMMIT, COMMIT_FILE, UNKNOWN


def store_commit(package: Path) -> None:
    """Write the commit into a copy of the package."""
    if COMMIT != UNKNOWN:
        package.mkdir(parents=True, exist_ok=True)
        (package / COMMIT_FILE).write_text(f"{COMMIT}\n", encoding="ascii")


class BuildWithCommit(build_py):
    """Build the package, unless it stays in its clone, where git knows the commit."""

    def run(self) -> None:
        """Build the package and store the commit in it."""
        super().run()
        if not self.editable_mode:
            store_commit(Path(self.build_lib, "rollbook"))


class ReleaseWithCommit(sdist):
    """Make the source distribution."""

    def make_release_tree(self, base_dir: str, files: list[str]) -> None:
        """Copy the files, and store the commit in the package."""
        super().make_release_tree(base_dir, files)
        store_commit(Path(base_dir, "src", "rollbook"))


setup(cmdclass={"build_py": BuildWithCommit, "sdist": ReleaseWithCommit})
