"""2. Check the rows of a student file: validate them, match them with students, and compare.

A second process checks a part of a large file. Each batch commits together with the position at
which the next one begins, so a check that was interrupted resumes there.
"""

from collections.abc import Iterator

from rollbook.studentfile.reading.header import Header
from rollbook.updates.checking import byte_ranges
from rollbook.updates.checking.check_range import RowChecker, check_byte_range
from rollbook.updates.checking.parallel import ParallelChecker
from rollbook.updates.models import UpdateJob
from rollbook.updates.receiving import files


def steps(update: UpdateJob, run: str) -> Iterator[None]:
    """Check the rows that have not been checked yet, one batch a step.

    Of a large file, a second process checks a part. Raises states.Fenced and spool.LostFile.
    """
    files.ensure_available(update.spool_name, update.file_digest)
    rules = RowChecker(update, Header.parse(update.header)[0])
    todo = byte_ranges.unchecked_ranges(update)
    with ParallelChecker(update.pk, run, len(todo)) as second:
        second.send_index(lambda: rules.known)
        while todo:
            for _ in check_byte_range(todo.pop(0), update, run, rules):
                second.offer_range(todo)
                yield
        while second.is_busy():
            yield
    for stretch in byte_ranges.unchecked_ranges(update):  # what the second process left undone
        yield from check_byte_range(stretch, update, run, rules)
