"""Find the update that a file comes from, by the columns that an export added to it."""

import re
from collections.abc import Sequence
from dataclasses import replace

from rollbook.districts.models import District
from rollbook.studentfile.columns import fold_header
from rollbook.studentfile.reading.date_order import REFUSED_ORDERS
from rollbook.studentfile.reading.reader import FileScan
from rollbook.studentfile.rules import DateOrder
from rollbook.updates.models import UpdateJob

CODE, MESSAGE = "_CODE", "_MESSAGE"

_LINE = "_LINE"
_RETURN_COLUMN = re.compile(rf"{_LINE}(OFUPDATE(?P<number>[0-9]{{1,9}}))?|{CODE}|{MESSAGE}")
"""The names of these columns, as fold_header() returns them."""


def line_column(number: int) -> str:
    """Return the column that has each row's line number in the file of this update."""
    return f"{_LINE}_OF_UPDATE_{number}"


def is_return_column(name: str) -> bool:
    """Return whether this is a column that exports add."""
    return bool(_RETURN_COLUMN.fullmatch(fold_header(name)))


def find_source_update(header: Sequence[str], district: District) -> UpdateJob | None:
    """Return the update of this district that a column of the header names, if it exists."""
    matches = map(_RETURN_COLUMN.fullmatch, map(fold_header, header))
    numbers = [match["number"] for match in matches if match and match["number"]]
    if not numbers:
        return None
    return UpdateJob.objects.filter(district=district, number=int(numbers[0])).first()


def inherit_date_order(scan: FileScan, district: District) -> FileScan:
    """Return the scan of a file; rows of a file with both date orders still have both.

    Those that were rejected, because their dates could mean two days, prove nothing by themselves.
    """
    source = find_source_update(scan.header.names, district) if scan.header else None
    if not source or source.file_rules.date_order is not DateOrder.MIXED:
        return scan
    problems = [problem for problem in scan.problems if problem.code not in REFUSED_ORDERS]
    rules = replace(scan.rules, date_order=DateOrder.MIXED)
    return replace(scan, problems=tuple(problems), rules=rules)
