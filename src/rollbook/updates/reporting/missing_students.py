"""List the students whom a file in full sync doesn't name, page by page."""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rollbook.pagination import Page, get_page
from rollbook.students import absences
from rollbook.students.models import Student
from rollbook.updates.absences.figures import Figures
from rollbook.updates.models import MissingStudents, StagedRow, UpdateJob
from rollbook.updates.state_machine import UNFINISHED, Outcome

PAGE_SIZE = 50
STUDENTS_PER_QUERY = 1000
MISSING, DUE, DEACTIVATED, POSTPONED, KEPT = (
    "missing",
    "due",
    "deactivated",
    "postponed",
    "not deactivated",
)
"""What becomes of a missing student by the update."""


@dataclass(frozen=True)
class MissingStudent:
    """A student whom the file of an update doesn't name.

    Attributes:
        student: The student as of now.
        files: The files without the student, with this one.
        result: What becomes of the student.
    """

    student: Student
    files: int
    result: str


def count(update: UpdateJob) -> int:
    """Return how many students are missing."""
    return Figures.from_json(update.absences).missing if update.absences else 0


def page_of(update: UpdateJob, number: int, size: int = PAGE_SIZE) -> Page[MissingStudent]:
    """Return one page of the missing students; those who are due come first."""
    stored = _Stored.of(update)
    return get_page(len(stored.keys), number, size, lambda *part: stored.load(slice(*part)))


def all_of(update: UpdateJob) -> Iterator[MissingStudent]:
    """Yield the missing students in the same order."""
    stored = _Stored.of(update)
    for first in range(0, len(stored.keys), STUDENTS_PER_QUERY):
        yield from stored.load(slice(first, first + STUDENTS_PER_QUERY))


def keys_of(update: UpdateJob) -> Sequence[int]:
    """Return the primary keys of the missing students; some may have been erased."""
    return _Stored.of(update).keys


@dataclass(frozen=True)
class _Stored:
    update: UpdateJob
    keys: "array[int]"
    files: bytes
    figures: Figures

    @classmethod
    def of(cls, update: UpdateJob) -> "_Stored":
        stored = MissingStudents.objects.filter(update=update).first()
        if stored is None or update.absences is None:
            return cls(update, array("q"), b"", Figures(0, 0))
        keys = array("q", bytes(stored.student_ids))
        return cls(update, keys, bytes(stored.files), Figures.from_json(update.absences))

    def load(self, part: slice) -> list[MissingStudent]:
        """Return some of the students; those who were erased since are left out."""
        keys = self.keys[part]
        students = {student.pk: student for student in absences.names(keys)}
        rows = StagedRow.objects.with_effective_outcome(Outcome.DEACTIVATED, self.update)
        done = set(rows.filter(student__in=keys).values_list("student_id", flat=True))
        return [
            MissingStudent(students[key], files, self._result(at, is_deactivated=key in done))
            for at, (key, files) in enumerate(zip(keys, self.files[part], strict=True), part.start)
            if key in students
        ]

    def _result(self, position: int, *, is_deactivated: bool) -> str:
        if is_deactivated:
            return DEACTIVATED
        if position >= self.figures.due:
            return MISSING
        if self.figures.postponed:
            return POSTPONED
        return DUE if self.update.state in UNFINISHED else KEPT
