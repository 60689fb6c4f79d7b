"""Twenty students at two schools, and the files that name them."""

from collections.abc import Iterable

from rollbook.updates.reporting.report import Report
from tests.updates.absences.nights import row

KEYS = [f"s{number:02}" for number in range(20)]
HERE = KEYS[:12]
"""The students of school 100; the others are at school 200."""


def school_of(key: str) -> str:
    return "100" if key in HERE else "200"


def rows(without: Iterable[str] = (), **other: str) -> list[str]:
    """Return the rows of all students, without some, and with other rows for some."""
    skipped = {*without}
    return [other.get(key, row(key, school_of(key))) for key in KEYS if key not in skipped]


def codes(report: Report) -> set[str]:
    return {group.code for group in report.groups}
