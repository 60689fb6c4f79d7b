"""The second checking process: request byte ranges on stdout, and read them from stdin.

``parallel.py`` starts it with one argument, a JSON list of the update's ID, the run ID, and whether
to find out which records are known.
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
    update_id, run, finds_known = json.loads(sys.argv[1])
    core_dumps.protect_memory()
    django.setup()
    log_uncaught_exceptions()
    # Models can be imported only now.
    from rollbook.updates.transitions import Fenced

    # Another run has the update now, or the process that sends the byte ranges was killed.
    with suppress(Fenced, BrokenPipeError):
        _check_ranges(update_id, run, finds_known=finds_known)


def _check_ranges(update_id: int, run: str, *, finds_known: bool) -> None:
    from rollbook.updates.checking.byte_ranges import ByteRange
    from rollbook.updates.checking.check_range import RangeChecker
    from rollbook.updates.models import UpdateJob

    tune_for_many_rows()
    update = UpdateJob.objects.select_related("district").get(pk=update_id)
    checker = RangeChecker(update, finds_known=finds_known)
    os.write(1, b"?")
    for line in sys.stdin:
        for _ in checker.check([ByteRange.from_json(line)], run):
            pass
        os.write(1, b"?")


if __name__ == "__main__":
    main()
