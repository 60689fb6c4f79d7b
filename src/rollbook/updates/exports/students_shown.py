"""Find which students a download shows, so that this is recorded before its first line is sent.

The rows are read twice: once to find the students, and once to send them. So no row is held in
memory, and what was sent never has a student whom the audit doesn't name.
"""

from collections.abc import Iterator

from rollbook.districts.local_dates import local_date
from rollbook.studentfile.file_validator import validate_rows
from rollbook.studentfile.reading.reader import RawRow
from rollbook.studentfile.row_validator import RowValidator
from rollbook.students import recognition
from rollbook.updates.models import UpdateJob


def in_file_rows(update: UpdateJob, batches: Iterator[list[RawRow]]) -> set[int]:
    """Return the primary keys of the students whom rows of an update's file are about."""
    today = local_date(update.district, update.received_at)
    validator = RowValidator(update.parse_header(), today, rules=update.file_rules)
    found: set[int] = set()
    for rows in batches:
        values = [row.values for row in validate_rows(validator, rows)]
        found |= recognition.in_rows(update.district_id, values)
    return found
