"""The second process gets byte ranges from the end, and the first one is left those before."""

import subprocess
import sys

import pytest

from rollbook.studentfile.reading.reader import FilePosition
from rollbook.updates.checking import check
from rollbook.updates.checking.byte_ranges import ByteRange
from rollbook.updates.checking.parallel import ParallelChecker

RANGES = [ByteRange(None, FilePosition(stop)) for stop in range(3)]
A_SECOND_PROCESS = """
import os, sys
for _ in range({}):
    os.write(1, b"?")
    if not sys.stdin.readline():
        break
"""


@pytest.mark.process
@pytest.mark.without_database
@pytest.mark.parametrize(("requests", "left"), [(0, 3), (1, 2), (3, 0), (4, 0)])
def test_a_process_gets_a_range_for_each_request_until_it_ends_or_none_is_left(
    requests: int, left: int
) -> None:
    ranges, checker = [*RANGES], ParallelChecker(1, "run")
    command = [sys.executable, "-c", A_SECOND_PROCESS.format(requests)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    ) as process:
        checker._send(process, ranges)
        process.kill()
    assert ranges == RANGES[:left]
    assert not checker.is_busy()


@pytest.mark.parametrize("taken", range(len(RANGES)))
def test_the_first_process_leaves_out_ranges_that_the_second_one_has_taken(taken: int) -> None:
    ranges = [*RANGES]
    first = check._take_all(ranges)
    found = [next(first)]
    del ranges[len(ranges) - taken :]
    assert [*found, *first] == RANGES[: len(RANGES) - taken]
