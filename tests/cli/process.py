"""Runs the real command in a separate process with its own data folder."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.installations import environment
from tests.prepared import prepared

__all__ = ["environment", "rollbook"]


def rollbook(
    *arguments: object, env: Mapping[str, str], cwd: Path | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run the command and wait for its end."""
    words = list(map(str, arguments))
    done = prepared().run("rollbook", *words, environment=env, cwd=cwd)
    return subprocess.CompletedProcess(["rollbook", *words], done.code, done.out, done.err)
