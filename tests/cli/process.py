"""Runs the real command in a separate process with its own data folder."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.installations import environment

__all__ = ["environment", "rollbook"]


def rollbook(
    *arguments: object, env: Mapping[str, str], cwd: Path | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run the command and wait for its end."""
    command = [sys.executable, "-m", "rollbook", *map(str, arguments)]
    return subprocess.run(
        command, env=env, cwd=cwd, capture_output=True, text=True, timeout=240, check=False
    )
