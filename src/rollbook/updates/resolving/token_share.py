"""Find out whether a file would change more students than the token that sent it allows."""

from django.db.models import Min

from rollbook.accounts.auth.token_limits import TokenLimits
from rollbook.studentfile.problems.problem import PROBLEM_CODES, Problem
from rollbook.students.models import Student
from rollbook.updates.models import UpdateJob
from rollbook.updates.row_outcomes import FIRST_WITHOUT_LINE


def find_problem(update: UpdateJob) -> Problem | None:
    """Return why the file is refused: it would change or add too many students.

    Args:
        update: The update, of which all rows have been checked.
    """
    percent = TokenLimits.from_json(update.limits).max_percent
    if percent is None:
        return None
    staged = update.stagedrow_set.filter(outcome=None)
    count = staged.count()
    total = Student.objects.filter(district_id=update.district_id).count()
    if 100 * count <= percent * total:
        return None
    of_file = staged.filter(line__lt=FIRST_WITHOUT_LINE)
    line = of_file.aggregate(first=Min("line"))["first"]
    fix = PROBLEM_CODES["too_many_changes"].fix
    hint = f"{count:,} students would change, and {percent}% of {total:,} may: {fix}"
    return Problem("too_many_changes", line, hint=hint)
