"""The second checking process: asks for byte ranges on its output, reads them from its input.

``hands.py`` starts it with one argument, a JSON list: the update's key, the run id, and the file
descriptor from which to read the digests of the district's students.
"""

import json
import os
import sys

import django


def main() -> None:
    """Ask for a byte range, check it, and ask again, until the input is closed."""
    update_id, run, shared = json.loads(sys.argv[1])
    django.setup()
    # Models can be imported only now.
    from rollbook.students.fingerprints import FingerprintIndex
    from rollbook.updates.checking.byte_ranges import ByteRange
    from rollbook.updates.checking.check_range import RangeWorker

    worker = None
    while True:
        os.write(1, b"?")
        line = sys.stdin.readline()
        if not line:
            return
        if worker is None:  # the digests are there before the first byte range
            worker = RangeWorker(update_id, run, FingerprintIndex.read_from(shared))
        worker.check(ByteRange.from_json(json.loads(line)))


if __name__ == "__main__":
    main()
