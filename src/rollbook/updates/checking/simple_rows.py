"""Find the simple rows of a batch: compare valid rows with their students, column by column.

Of most students nothing has changed, or only a grade. Rows that name them by STUDENT_ID, and differ
in simple columns at most, are compared without any object for each row. All other rows are left to
``row_checker``, which finds the same in simple rows; a test compares both.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from rollbook.studentfile.row_validator import ValidColumns
from rollbook.students import snapshots
from rollbook.students.diff import LISTS, is_same_list
from rollbook.students.passwords import ImportedPasswords
from rollbook.students.snapshots import LOADED_COLUMNS, LoadedStudents, StoredStudent
from rollbook.students.writer import SIMPLE_COLUMNS
from rollbook.updates.checking.references import ReferenceChecker

ColumnChange = tuple[str, str, str]
"""A column, its old value and its new value."""

_Column = Sequence[str | None]
_Changes = defaultdict[int, list[ColumnChange]]
_LOAD_LINKS = {"GROUPS": snapshots.load_groups, "STAFF": snapshots.load_staff}


@dataclass(frozen=True, slots=True)
class FoundRows:
    """Rows without a problem that differ from their students in simple columns at most.

    Attributes:
        positions: Their positions in the batch.
        students: The student of each.
        changes: What each changes; PASSWORD is hashed.
    """

    positions: Sequence[int] = ()
    students: Sequence[StoredStudent] = ()
    changes: Sequence[Sequence[ColumnChange]] = ()


class SimpleRows:
    """Finds the simple rows of batches of one file.

    Args:
        references: The staff of the district.
        protected: Columns that the file may not change.
    """

    def __init__(self, references: ReferenceChecker, protected: Collection[str]) -> None:
        self._references = references
        self._changeable = SIMPLE_COLUMNS - frozenset(protected)

    def find(
        self, columns: ValidColumns, students: LoadedStudents, passwords: ImportedPasswords
    ) -> FoundRows:
        """Return the simple rows of a batch.

        Args:
            columns: The valid rows of the batch.
            students: Students of the district; those of the batch are added.
            passwords: Recognizes and hashes passwords.
        """
        ids = columns.values.get("STUDENT_ID", ())
        students.load(set(filter(None, ids)))
        uncertain, stored = columns.uncertain, students.stored
        numbers = [
            number
            for number, student_id in enumerate(ids)
            if student_id in stored and number not in uncertain
        ]
        if not numbers:
            return FoundRows()
        new = {name: _at(numbers, values) for name, values in columns.values.items()}
        found = [stored[student_id] for student_id in cast("Sequence[str]", new["STUDENT_ID"])]
        changes, left = self._compare(new, found)
        self._compare_passwords(new.get("PASSWORD", ()), found, passwords, changes, left)
        simple = [at for at in range(len(numbers)) if at not in left]
        return FoundRows(
            _at(simple, _at(numbers, columns.positions)),
            _at(simple, found),
            [changes.get(at, ()) for at in simple],
        )

    def _compare(
        self, new: Mapping[str, _Column], students: Sequence[StoredStudent]
    ) -> tuple[_Changes, set[int]]:
        """Compare all columns but PASSWORD.

        Returns:
            The changes of simple columns by row, and the rows that aren't simple.
        """
        pks, _, _, *values = zip(*students, strict=True)
        old = dict(zip(LOADED_COLUMNS, map(list, values), strict=True))
        left = set(_positions_of("inactive", old["STATUS"]))
        left.update(_positions_of("", new.get("GROUPS", ())))  # it stands for the Default group
        if "STAFF" in new:
            left.update(self._references.find_staff_elsewhere(new["STAFF"], old["SCHOOL_ID"]))
        for name in _LOAD_LINKS.keys() & new.keys():
            cells = _LOAD_LINKS[name](pks)
            old[name] = [cells.get(pk, "") for pk in pks]
        changes: _Changes = defaultdict(list)
        for name in new.keys() & old.keys():
            for at, stored, value in _differences(old[name], new[name]):
                if name in LISTS and is_same_list(value, stored):
                    continue
                if name in self._changeable:
                    changes[at].append((name, stored, value))
                else:
                    left.add(at)
        return changes, left

    def _compare_passwords(
        self,
        new: _Column,
        students: Sequence[StoredStudent],
        passwords: ImportedPasswords,
        changes: _Changes,
        left: set[int],
    ) -> None:
        """Add the passwords that differ to the changes, or their rows to those that aren't simple.

        If PASSWORD is protected, each password counts as changed.
        """
        is_changeable = "PASSWORD" in self._changeable
        for at, (password, student) in enumerate(zip(new, students, strict=False)):
            if password is None or at in left:
                continue
            if not is_changeable:
                left.add(at)
            elif not passwords.is_unchanged(student[2], password):
                changes[at].append(("PASSWORD", "", passwords.hash(password)))


def _at(numbers: Sequence[int], values: Sequence[Any]) -> Sequence[Any]:
    """Return the values with these numbers; all of them if there are as many."""
    if len(numbers) == len(values):
        return values
    return [values[number] for number in numbers]


def _positions_of(wanted: str, values: _Column) -> Iterator[int]:
    return (at for at, value in enumerate(values) if value == wanted)


def _differences(old: Sequence[str], new: _Column) -> list[tuple[int, str, str]]:
    """Return where the values given differ from the stored ones, and both of them."""
    if old == new:
        return []
    pairs = zip(old, new, strict=True)
    return [
        (at, stored, value)
        for at, (stored, value) in enumerate(pairs)
        if value != stored and value is not None
    ]
