"""Check what rows refer to: schools, staff members and groups of the district, and their student.

All of this needs the database, so ``rollbook file check`` and drafts can't find it.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property

from rollbook.districts.models import School
from rollbook.studentfile.problems.problem import Problem, printable_excerpt
from rollbook.studentfile.row_validator import ValidatedRow
from rollbook.studentfile.values.free_text import SEPARATOR
from rollbook.students import similar_ids
from rollbook.students.models import Group
from rollbook.students.snapshots import StudentSnapshot
from rollbook.students.writer import member_ids_by_email
from rollbook.text import join_words

MAX_NAMED_GROUPS = 5


class ReferenceChecker:
    """Checks rows of one file against the schools, staff and groups of its district.

    Args:
        district_id: The district.
        reactivates: Whether a row without STATUS makes an inactive student active.
    """

    def __init__(self, district_id: int, *, reactivates: bool) -> None:
        self._district_id = district_id
        self._reactivates = reactivates
        schools = School.objects.filter(district_id=district_id)
        self._school_ids = set(schools.values_list("organization_id", flat=True))

    def check_schools_and_staff(self, rows: Sequence[ValidatedRow]) -> None:
        """Report schools and staff that the district doesn't have, and remove them from the rows.

        Those of another district are reported in the same way.
        """
        members = self._load_members(rows)
        for row in rows:
            school_id = row.values.get("SCHOOL_ID")
            if school_id is not None and school_id not in self._school_ids:
                row.problems.append(self._unknown_school(row.line, school_id))
                del row.values["SCHOOL_ID"]
            if row.values.get("STAFF"):
                _check_staff(row, members)

    def check_status(self, row: ValidatedRow, student: StudentSnapshot) -> None:
        """Reactivate an inactive student if the row has no STATUS, or report that it doesn't.

        An invalid STATUS may have meant anything, so it doesn't reactivate.
        """
        if student.values["STATUS"] != "inactive" or "STATUS" in row.values:
            return
        if any(problem.column == "STATUS" for problem in row.problems):
            return
        if self._reactivates:
            row.values["STATUS"] = "active"
        else:
            found = student.values["STUDENT_ID"] or student.values["USERNAME"]
            row.problems.append(Problem("inactive_student", row.line, "STATUS", found))

    def check_groups(self, row: ValidatedRow, student: StudentSnapshot | None) -> None:
        """Report groups that the row would add if its cell contains several, joined by ``&``.

        One name that contains a ``&`` could be meant.

        Args:
            row: The row.
            student: Its student; None for a new one.
        """
        names = row.values.get("GROUPS", "").split(SEPARATOR)
        if len(names) < 2:
            return
        current = student.values["SCHOOL_ID"] if student else ""
        existing = self._groups[row.values.get("SCHOOL_ID") or current]
        new = [name for name in names if name.casefold() not in existing]
        if new:
            listed = [*new[:MAX_NAMED_GROUPS], "more"] if len(new) > MAX_NAMED_GROUPS else new
            hint = f"{join_words(listed)}: if one name contains an &, write it as &&"
            found = printable_excerpt(SEPARATOR.join(names))
            row.problems.append(Problem("new_groups", row.line, "GROUPS", found, hint))

    @cached_property
    def _groups(self) -> Mapping[str, set[str]]:
        """The name keys of groups by School ID, when the first list of groups was checked."""
        groups: defaultdict[str, set[str]] = defaultdict(set)
        stored = Group.objects.filter(school__district=self._district_id)
        for school_id, key in stored.values_list("school__organization_id", "name_key"):
            groups[school_id].add(key)
        return groups

    @cached_property
    def _schools_by_folded_id(self) -> Mapping[str, str]:
        return {similar_ids.fold(school_id): school_id for school_id in sorted(self._school_ids)}

    def _unknown_school(self, line: int, school_id: str) -> Problem:
        similar = self._schools_by_folded_id.get(similar_ids.fold(school_id))
        hint = similar_ids.hint(school_id, similar) if similar else ""
        return Problem("unknown_school", line, "SCHOOL_ID", school_id, hint)

    def _load_members(self, rows: Sequence[ValidatedRow]) -> Mapping[str, int]:
        """Return the IDs of the staff members that the rows name, by email."""
        emails: set[str] = set()
        for row in rows:
            if row.values.get("STAFF"):
                emails.update(row.values["STAFF"].split(SEPARATOR))
        return member_ids_by_email(self._district_id, emails) if emails else {}


def _check_staff(row: ValidatedRow, members: Mapping[str, int]) -> None:
    """Report the staff of a row that the district doesn't have, and remove them from the row."""
    known = []
    for email in row.values["STAFF"].split(SEPARATOR):
        if email in members:
            known.append(email)
        else:
            row.problems.append(Problem("unknown_staff", row.line, "STAFF", email))
    row.values["STAFF"] = SEPARATOR.join(known)
