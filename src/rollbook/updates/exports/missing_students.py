"""Export the students whom the file of an update in full sync doesn't name, as CSV."""

from collections.abc import Iterator

from rollbook.studentfile import writer
from rollbook.updates.exports.original_rows import ensure_checked, ensure_not_removed
from rollbook.updates.models import UpdateJob
from rollbook.updates.reporting import missing_students

HEADER = (
    *("STUDENT_ID", "USERNAME", "FIRST_NAME", "LAST_NAME", "SCHOOL_ID", "STATUS"),
    *("FILES_MISSING", "RESULT"),
)


def csv_lines(update: UpdateJob, *, confidential: bool = True) -> Iterator[str]:
    """Return the lines of the file, with the students as they are now; due ones come first.

    Args:
        update: The update.
        confidential: As in other exports; this one has no confidential columns.

    Raises:
        NotEnded: If not all rows have been checked.
        RemovedByRetention: If the details of the update have been removed.
    """
    ensure_checked(update)
    ensure_not_removed(update, file=False)
    return writer.lines(HEADER, _rows(update))


def students(update: UpdateJob) -> set[int]:
    """Return the primary keys of the students whom the file shows."""
    return set(missing_students.keys_of(update))


def file_name(update: UpdateJob) -> str:
    """Return the name of the download."""
    return f"update-{update.number}-missing.csv"


def _rows(update: UpdateJob) -> Iterator[list[str]]:
    for each in missing_students.all_of(update):
        student = each.student
        names = (student.student_id or "", student.username, student.first_name, student.last_name)
        school = student.school.organization_id
        yield [*names, school, student.status, str(each.files), each.result]
