"""The real command, in a process and with a data folder of its own."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path


def environment(data: Path | None = None, **more: str) -> Mapping[str, str]:
    """Nothing of what this test run has set."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ROLLBOOK", "DJANGO"))}
    return kept | ({"ROLLBOOK_DATA": str(data)} if data else {}) | more


def rollbook(*arguments: object, env: Mapping[str, str], cwd: Path | None = None) -> "subprocess.CompletedProcess[str]":
    """Run it to its end."""
    command = [sys.executable, "-m", "rollbook", *map(str, arguments)]
    return subprocess.run(command, env=env, cwd=cwd, capture_output=True, text=True, timeout=60, check=False)
