"""Find out whether a file would deactivate most students, before anything is applied."""

from django.db.models import Min

from rollbook.studentfile.problems.problem import PROBLEM_CODES, Problem
from rollbook.studentfile.reading.header import Header
from rollbook.students.models import Student
from rollbook.updates.models import UpdateJob

MIN_STUDENTS = 5
"""A file that deactivates fewer students is never refused."""

_DEACTIVATION = '"STATUS": ["active", "inactive"]'  # as staged_rows.py writes it


def find_problem(update: UpdateJob) -> Problem | None:
    """Return why the file is refused: it would deactivate more than half of the active students.

    Args:
        update: The update, of which all rows have been checked.
    """
    header, _ = Header.parse(update.header)
    if "STATUS" not in header.known:
        return None
    staged = update.stagedrow_set.filter(outcome=None, values_json__contains=_DEACTIVATION)
    count = staged.count()
    if count < MIN_STUDENTS:
        return None
    active = Student.objects.filter(district_id=update.district_id, status="active")
    # Counting ends at twice the number, because a large district has many more.
    total = active.values("pk")[: 2 * count].count()
    if total == 2 * count:
        return None
    line = staged.aggregate(first=Min("line"))["first"]
    fix = PROBLEM_CODES["mass_deactivation"].fix
    hint = f"{count:,} of {total:,} active students would be deactivated: {fix}"
    return Problem("mass_deactivation", line, hint=hint)
