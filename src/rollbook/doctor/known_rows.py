"""Check that rows of student files that count as known are what their students are."""

from collections.abc import Iterator

from rollbook.doctor.installation import Installation
from rollbook.doctor.result import CheckResult, error, ok
from rollbook.text import count_of
from rollbook.updates.checking import known_sample

SAMPLE = 1000


def check(installation: Installation) -> Iterator[CheckResult]:
    """Compare a sample of known rows with their students."""
    compared = 0
    is_sound = True
    for result in known_sample.compare(SAMPLE):
        compared += result.compared
        if result.wrong:
            is_sound = False
            yield error(
                f"{result.wrong} of {count_of(result.compared, 'known row')} of "
                f"{result.district.slug} differ from their students: something changed students "
                "without Rollbook noticing",
                "nothing counts as known there now, so the next file is compared with all of its "
                "students, which corrects them; change students only in Rollbook",
            )
    if is_sound:
        yield ok(f"{count_of(compared, 'known row')} compared with their students")
