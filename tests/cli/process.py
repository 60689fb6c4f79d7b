"""Runs the real command in a separate process with its own data folder."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.installations import environment
from tests.patience import TIMEOUT_S
from tests.prepared import prepared

__all__ = ["environment", "rollbook"]


def rollbook(
    *arguments: object, env: Mapping[str, str], cwd: Path | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run the command and wait for its end.

    It is a fork, unless the environment sets variables that Python reads when it starts.
    """
    words = list(map(str, arguments))
    if any(_is_read_at_start(name) and os.environ.get(name) != env[name] for name in env):
        return subprocess.run(
            [sys.executable, "-m", "rollbook", *words],
            env=env,
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    done = prepared().run("rollbook", *words, environment=env, cwd=cwd)
    return subprocess.CompletedProcess(["rollbook", *words], done.code, done.out, done.err)


def _is_read_at_start(name: str) -> bool:
    return name.startswith(("PYTHON", "LC_", "LANG"))
