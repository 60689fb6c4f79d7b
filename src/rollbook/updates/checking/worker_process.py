"""The second checking process: request byte ranges on stdout, and read them from stdin.

``parallel.py`` starts it with one argument, a JSON list of the update's ID, the run ID, and the
file descriptor from which to read the fingerprints of the district's students.
"""

import json
import os
import sys
from contextlib import suppress

import django

from rollbook import core_dumps
from rollbook.garbage_collection import tune_for_many_rows
from rollbook.log_format import log_uncaught_exceptions


def main() -> None:
    """Request a byte range, check it, and request the next one, until stdin is closed."""
    update_id, run, index_file = json.loads(sys.argv[1])
    core_dumps.protect_memory()
    django.setup()
    log_uncaught_exceptions()
    # Models can be imported only now.
    from rollbook.updates.transitions import Fenced

    # Another run has the update now, or the process that sends the byte ranges was killed.
    with suppress(Fenced, BrokenPipeError):
        _check_ranges(update_id, run, index_file)


def _check_ranges(update_id: int, run: str, index_file: int) -> None:
    from rollbook.students.fingerprints import FingerprintIndex
    from rollbook.updates.checking.byte_ranges import ByteRange
    from rollbook.updates.checking.check_range import RangeWorker

    tune_for_many_rows()
    worker = None
    while True:
        os.write(1, b"?")
        line = sys.stdin.readline()
        if not line:
            return
        if worker is None:  # the index has been written before the first byte range is sent
            worker = RangeWorker(update_id, run, FingerprintIndex.read_from(index_file))
        worker.check(ByteRange.from_json(json.loads(line)))


if __name__ == "__main__":
    main()
