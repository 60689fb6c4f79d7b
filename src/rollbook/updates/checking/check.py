"""2. Check the rows of a student file: validate them, match them with students, and compare.

Records that are known are not even parsed. If many are unknown, a second process checks a part of
the file. Each batch commits together with the position at which the next one begins, so a check
that was interrupted resumes there.
"""

from collections.abc import Iterator
from contextlib import suppress

from rollbook.updates.checking import byte_ranges
from rollbook.updates.checking.byte_ranges import ByteRange
from rollbook.updates.checking.check_range import RangeChecker
from rollbook.updates.checking.parallel import ParallelChecker
from rollbook.updates.manifest import manifest, same_file
from rollbook.updates.models import UpdateJob
from rollbook.updates.receiving import files


def steps(update: UpdateJob, run: str) -> Iterator[None]:
    """Check the rows that have not been checked yet, one batch per step.

    Raises:
        Fenced: Another run has taken over the update, or it was canceled.
        FileMissing: The student file is missing or damaged.
    """
    files.ensure_available(update.spool_name, update.spool_digest)
    yield from manifest.remove_settled(update)
    checker = RangeChecker(update)
    if same_file.take_over(update, run, checker.fingerprinter.key, checker.known):
        yield
        return
    ranges = byte_ranges.unchecked_ranges(update)
    with ParallelChecker(update.pk, run) as parallel_checker:
        for _ in checker.check(_take_all(ranges), run):
            if checker.has_many_unknown:
                parallel_checker.share(ranges, finds_known=not checker.has_few_known)
            yield
        while parallel_checker.is_busy():
            yield
    if parallel_checker.has_started:  # what the second process left undone
        yield from checker.check(byte_ranges.unchecked_ranges(update), run)


def _take_all(ranges: list[ByteRange]) -> Iterator[ByteRange]:
    """Remove and yield the first range, as long as the second process has left one."""
    with suppress(IndexError):
        while True:
            yield ranges.pop(0)
