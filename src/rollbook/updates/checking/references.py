"""Check what rows refer to: schools and staff members of the district, and inactive students.

All of this needs the database, so ``rollbook file check`` and drafts can't find it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from rollbook.districts.models import District, School
from rollbook.studentfile.problems.problem import Problem
from rollbook.studentfile.row_validator import ValidatedRow
from rollbook.studentfile.values.free_text import join_list, split_list
from rollbook.students import absences, similar_ids, staff_schools
from rollbook.students.snapshots import StudentSnapshot
from rollbook.students.staff_schools import StaffMember
from rollbook.updates.state_machine import Mode


class ReferenceChecker:
    """Checks rows of one file against the schools, staff and students of its district."""

    def __init__(self, district: District, mode: Mode) -> None:
        self._district_id = district.pk
        self._reactivates = district.reactivates_students
        is_sync = mode is Mode.SYNC
        self._inactive_code = "inactive_but_named" if is_sync else "inactive_student"
        self._returning: set[int] = set()  # students who are inactive because no file named them
        schools = School.objects.filter(district=district)
        self._school_ids = set(schools.values_list("organization_id", flat=True))
        self._members: dict[str, StaffMember] = {}

    def check_schools_and_staff(self, rows: Sequence[ValidatedRow]) -> None:
        """Report schools and staff that the district doesn't have, and remove them from the rows.

        Those of another district are reported in the same way.
        """
        self._load_members(row.values.get("STAFF") for row in rows)
        for row in rows:
            school_id = row.values.get("SCHOOL_ID")
            if school_id is not None and school_id not in self._school_ids:
                row.problems.append(self._unknown_school(row.line, school_id))
                del row.values["SCHOOL_ID"]
            if row.values.get("STAFF"):
                _check_staff(row, self._members)

    def find_staff_elsewhere(
        self, cells: Sequence[str | None], school_ids: Sequence[str]
    ) -> Iterator[int]:
        """Yield which cells name staff whom a row of this school can't have.

        Args:
            cells: STAFF of each row, or None.
            school_ids: The school of each row.
        """
        pairs = list(zip(cells, school_ids, strict=True))
        different = {pair for pair in pairs if pair[0]}
        self._load_members(cell for cell, _ in different)
        wrong = {pair for pair in different if not self._can_have(*pair)}
        yield from (at for at, pair in enumerate(pairs) if pair in wrong)

    def _can_have(self, cell: str | None, school_id: str) -> bool:
        members = map(self._members.get, split_list(cell or ""))
        return all(member is not None and member.works_at(school_id) for member in members)

    def remove_staff_elsewhere(
        self, row: ValidatedRow, student: StudentSnapshot | None
    ) -> list[Problem]:
        """Remove the staff who don't work at the row's school; return a problem for each.

        Args:
            row: A row that was checked with ``check_schools_and_staff``.
            student: The row's student, whose school it is if the row has none; None if new.
        """
        if not row.values.get("STAFF"):
            return []
        school_id = row.values.get("SCHOOL_ID")
        if school_id is None and student:
            school_id = student.values["SCHOOL_ID"]
        if school_id is None:
            return []
        emails = split_list(row.values["STAFF"])
        elsewhere = [email for email in emails if not self._members[email].works_at(school_id)]
        row.values["STAFF"] = join_list(email for email in emails if email not in elsewhere)
        return [Problem("staff_elsewhere", row.line, "STAFF", email) for email in elsewhere]

    def check_status(self, row: ValidatedRow, student: StudentSnapshot) -> None:
        """Reactivate an inactive student if the row has no STATUS, or report that it doesn't.

        A student whom files in full sync made inactive by not naming it is active again. An
        invalid STATUS may have meant anything, so it doesn't reactivate.
        """
        if student.values["STATUS"] != "inactive" or "STATUS" in row.values:
            return
        if any(problem.column == "STATUS" for problem in row.problems):
            return
        if self._reactivates or student.pk in self._returning:
            row.values["STATUS"] = "active"
        else:
            found = student.values["STUDENT_ID"] or student.values["USERNAME"]
            row.problems.append(Problem(self._inactive_code, row.line, "STATUS", found))

    def load_returning(self, students: Iterable[StudentSnapshot]) -> None:
        """Look up which of the next students are inactive because files didn't name them."""
        inactive = {each.pk for each in students if each.values["STATUS"] == "inactive"}
        self._returning = absences.deactivated(inactive)

    @cached_property
    def _schools_by_folded_id(self) -> Mapping[str, str]:
        return {similar_ids.fold(school_id): school_id for school_id in sorted(self._school_ids)}

    def _unknown_school(self, line: int, school_id: str) -> Problem:
        similar = self._schools_by_folded_id.get(similar_ids.fold(school_id))
        hint = similar_ids.hint(school_id, similar) if similar else ""
        return Problem("unknown_school", line, "SCHOOL_ID", school_id, hint)

    def _load_members(self, cells: Iterable[str | None]) -> None:
        """Load the staff members that these cells name."""
        emails: set[str] = set()
        for cell in filter(None, cells):
            emails.update(split_list(cell))
        if emails:
            self._members |= staff_schools.load(self._district_id, emails)


def _check_staff(row: ValidatedRow, members: Mapping[str, StaffMember]) -> None:
    """Report the staff of a row that the district doesn't have, and remove them from the row."""
    known = []
    for email in split_list(row.values["STAFF"]):
        if email in members:
            known.append(email)
        else:
            row.problems.append(Problem("unknown_staff", row.line, "STAFF", email))
    row.values["STAFF"] = join_list(known)
