"""The memory of our processes reaches no core file and no other process of the account."""

import os
import subprocess

import pytest

from rollbook.child_python import python_command
from tests.patience import TIMEOUT_S

pytestmark = [pytest.mark.process, pytest.mark.without_database]

# Values of prctl(PR_GET_DUMPABLE).
PROBE = """
import ctypes, resource
from rollbook import core_dumps
{action}
print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))
"""


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("core_dumps.turn_off()", "(0, 0) 1"),
        ("core_dumps.protect_memory()", "(0, 0) 0"),
    ],
)
def test_a_protected_process_cannot_be_dumped(action: str, expected: str) -> None:
    python = python_command("rollbook")[:2]
    done = subprocess.run(
        [*python, "-c", PROBE.format(action=action)],
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=True,
    )
    assert done.stdout.strip() == expected
