"""The real command, in a process and with a data folder of its own."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.installations import environment

__all__ = ["environment", "rollbook"]


def rollbook(
    *arguments: object, env: Mapping[str, str], cwd: Path | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run it to its end."""
    command = [sys.executable, "-m", "rollbook", *map(str, arguments)]
    return subprocess.run(
        command, env=env, cwd=cwd, capture_output=True, text=True, timeout=240, check=False
    )
