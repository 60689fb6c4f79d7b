"""A process that handles many rows returns large blocks of memory that it no longer uses."""

import subprocess
import sys

import pytest

KEPT = """
import sys
from rollbook.garbage_collection import tune_for_many_rows

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096

if sys.argv[1] == "tuned":
    tune_for_many_rows()
before = resident()
for _ in range(3):
    bytearray(19 << 20)
print(resident() - before)
"""


@pytest.mark.process
@pytest.mark.parametrize(("how", "is_returned"), [("tuned", True), ("by default", False)])
def test_a_large_block_is_returned_to_the_system(how: str, is_returned: bool) -> None:
    command = [sys.executable, "-c", KEPT, how]
    output = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    assert (int(output) < 2 << 20) is is_returned
