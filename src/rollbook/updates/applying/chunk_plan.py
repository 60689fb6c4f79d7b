"""Plan what a chunk of staged rows does to students: a pure function over plain values.

``apply`` loads what a plan needs and writes what it decides:

1. ``ChunkRows.split`` separates rows that need no look at their student from the others.
2. ``claim_keys`` tells which unique keys the others take, so that their holders can be loaded.
3. ``ChunkPlan.build`` decides what changes, and which rows have become impossible since they were
   checked, because somebody else changed a student.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

from rollbook.studentfile.problems.problem import Problem
from rollbook.students import writer
from rollbook.students.diff import diff
from rollbook.students.name_keys import name_and_dob
from rollbook.students.snapshots import StudentSnapshot
from rollbook.students.writer import NewStudent, SimpleChange, StudentChange

Key = str | tuple[str, str] | None
"""A STUDENT_ID or USERNAME, or a name key and date of birth; None if the student has none."""

Claims = dict[str, Key]
"""The keys that one row takes, by the column under which a clash is reported."""

KeyHolders = Mapping[str, Mapping[Key, int]]
"""By column: each key that is held, and the ID of the student that holds it."""

KEY_COLUMNS = ("STUDENT_ID", "USERNAME", "LAST_NAME")  # LAST_NAME stands for names and DOB
_ID_COLUMNS = ("STUDENT_ID", "USERNAME")
_NAME_AND_DOB = frozenset({"FIRST_NAME", "LAST_NAME", "DOB"})


class PendingRow(NamedTuple):
    """A staged row that has no outcome yet, in the order of the columns that ``apply`` selects.

    Attributes:
        apply_order: The row's place among the update's rows; a ring of rows shares one.
        pk: The staged row's ID in the database.
        line: The row's line in the student file.
        student_id: The student's ID in the database, None for a new student.
        student_version: The version of the student that the row was compared with.
        values_json: JSON object of column to old and new value; of a new student, to its value.
        simple_columns: The columns that change, joined by commas, if all of them are simple.
        fingerprint: The row's fingerprint, None if the row had a warning.
    """

    apply_order: int
    pk: int
    line: int
    student_id: int | None
    student_version: int | None
    values_json: str
    simple_columns: str | None
    fingerprint: int | None


class ChangeTask(NamedTuple):
    """A row whose student has to be loaded first; ``values`` is column to new value."""

    line: int
    student_id: int
    student_version: int | None
    values: dict[str, str]
    fingerprint: int | None


@dataclass(frozen=True, slots=True)
class ChunkRows:
    """The rows of a chunk by what they need.

    Attributes:
        simple_changes: Changes that need no look at the student, by their columns.
        changes: Changes that have to be compared with the student as it is now.
        new_students: The students to add, by line.
        gone: The lines of rows whose students no longer exist.
    """

    simple_changes: dict[str, list[SimpleChange]]
    changes: list[ChangeTask]
    new_students: dict[int, NewStudent]
    gone: list[int]

    @classmethod
    def split(cls, rows: Iterable[PendingRow], versions: Mapping[int, int]) -> Self:
        """Split the rows of a chunk.

        Args:
            rows: The rows of the chunk.
            versions: The students' versions now, by their IDs; students who are gone are missing.
        """
        simple_changes: defaultdict[str, list[SimpleChange]] = defaultdict(list)
        changes, new_students, gone = [], {}, []
        for row in rows:
            student_id = row.student_id
            if student_id is None:
                new_students[row.line] = NewStudent(json.loads(row.values_json), row.fingerprint)
            elif student_id not in versions:
                gone.append(row.line)
            elif row.simple_columns and versions[student_id] == row.student_version:
                change = SimpleChange(student_id, row.values_json, row.fingerprint)
                simple_changes[row.simple_columns].append(change)
            else:
                changes.append(_change_task(row, student_id))
        return cls(simple_changes, changes, new_students, gone)


@dataclass(frozen=True, slots=True)
class ChunkPlan:
    """What a chunk does; each of its rows appears in exactly one of these.

    Attributes:
        simple_changes: Changes that need no look at the student, by their columns.
        changes: Other changes by line; one without new values leaves its student unchanged.
        new_students: The students to add, by line.
        rejected: A problem for each row that has become impossible.
    """

    simple_changes: Mapping[str, Sequence[SimpleChange]]
    changes: Mapping[int, StudentChange]
    new_students: Mapping[int, NewStudent]
    rejected: Sequence[Problem]

    @classmethod
    def build(
        cls, rows: ChunkRows, snapshots: Mapping[int, StudentSnapshot], holders: KeyHolders
    ) -> Self:
        """Decide what the rows change and which of them are rejected.

        Args:
            rows: The rows of the chunk.
            snapshots: The students of ``rows.changes`` as they are now, by ID; with GROUPS and
                STAFF if any of the rows sets a school, groups or staff.
            holders: Who holds the keys of ``claim_keys``.
        """
        clashes = _find_clashes(rows, claim_keys(rows, snapshots), holders)
        changes = {
            task.line: _change(snapshots[task.student_id], task)
            for task in rows.changes
            if task.line not in clashes
        }
        new_students = {
            line: student for line, student in rows.new_students.items() if line not in clashes
        }
        rejected = [Problem("changed_meanwhile", line) for line in rows.gone]
        rejected += [Problem("changed_meanwhile", *clash) for clash in clashes.items()]
        return cls(rows.simple_changes, changes, new_students, rejected)

    @property
    def unchanged_lines(self) -> set[int]:
        """The lines of rows that say what is true already."""
        return {line for line, change in self.changes.items() if not change.new}

    @property
    def rejected_lines(self) -> set[int]:
        """The lines of rows that have become impossible."""
        return {problem.line for problem in self.rejected if problem.line is not None}

    def outcome_counts(self) -> dict[str, int]:
        """Count the rows by outcome, under the names of the update's columns."""
        simple = sum(map(len, self.simple_changes.values()))
        unchanged = len(self.unchanged_lines)
        return {
            "rows_updated": simple + len(self.changes) - unchanged,
            "rows_unchanged": unchanged,
            "rows_added": len(self.new_students),
            "rows_rejected": len(self.rejected),
        }

    def field_counts(self) -> Counter[str]:
        """Count the students in whom each column changes; ``changing.ADDED`` are the new ones."""
        changes = self.changes.values()
        counts = Counter(name for change in changes for name in writer.changed_columns(change))
        for columns, simple_changes in self.simple_changes.items():
            counts.update(dict.fromkeys(columns.split(","), len(simple_changes)))
        counts[writer.STUDENT_ADDED] += len(self.new_students)
        return counts


def claim_keys(rows: ChunkRows, snapshots: Mapping[int, StudentSnapshot]) -> dict[int, Claims]:
    """Return the unique keys that the rows take, by line, for the rows that take any."""
    claims = {line: _keys_of(student.values) for line, student in rows.new_students.items()}
    for task in rows.changes:
        taken = _keys_taken(snapshots[task.student_id].values, task.values)
        if taken:
            claims[task.line] = taken
    return claims


def _change_task(row: PendingRow, student_id: int) -> ChangeTask:
    old_and_new = json.loads(row.values_json)
    values = {column: new for column, (_, new) in old_and_new.items()}
    return ChangeTask(row.line, student_id, row.student_version, values, row.fingerprint)


def _change(student: StudentSnapshot, task: ChangeTask) -> StudentChange:
    """Compare a row with its student; PASSWORD is hashed already, so it is compared as stored."""
    values = dict(task.values)
    password = values.pop("PASSWORD", student.password)
    new = diff(student, values)
    if password != student.password:
        new["PASSWORD"] = password
    # A row compared with an earlier version may say more than what was staged of it: it leaves no
    # fingerprint.
    is_current = student.version == task.student_version
    fingerprint = task.fingerprint if is_current else None
    return StudentChange(student, new, fingerprint)


def _keys_of(values: Mapping[str, str]) -> Claims:
    """Return the keys that a student with these values holds."""
    return {
        "STUDENT_ID": values.get("STUDENT_ID") or None,
        "USERNAME": values.get("USERNAME") or None,
        "LAST_NAME": name_and_dob(values),
    }


def _keys_taken(old: Mapping[str, str], new: Mapping[str, str]) -> Claims:
    """Return the keys that a student with the values ``old`` takes by these new values."""
    taken: Claims = {}
    for column in _ID_COLUMNS:
        if column in new and new[column] != old[column]:
            taken[column] = new[column] or None
    if not new.keys().isdisjoint(_NAME_AND_DOB):
        name = name_and_dob({**old, **new})
        if name != name_and_dob(old):
            taken["LAST_NAME"] = name
    return taken


def _find_clashes(
    rows: ChunkRows, claims: Mapping[int, Claims], holders: KeyHolders
) -> dict[int, str]:
    """Return the lines of rows that can't have a key, each with the column of the key.

    A rejected row gives up nothing, which may make other rows impossible in turn.
    """
    students = {task.line: task.student_id for task in rows.changes if task.line in claims}
    open_claims = dict(claims)
    clashes: dict[int, str] = {}
    while found := _find_clashes_once(open_claims, students, holders):
        clashes |= found
        for line in found:
            del open_claims[line]
    return clashes


def _find_clashes_once(
    claims: Mapping[int, Claims], students: Mapping[int, int], holders: KeyHolders
) -> dict[int, str]:
    """Return the rows that take a key which is held and not given up, or taken by an earlier row.

    Args:
        claims: The keys that the rows take, by line.
        students: The ID of the student of each row, but for new students, who give up nothing.
        holders: Who holds the keys.
    """
    given_up = {
        (students[line], column)
        for line, columns in claims.items()
        for column in columns
        if line in students
    }
    taken: set[tuple[str, Key]] = set()
    clashes: dict[int, str] = {}
    for line, keys in sorted(claims.items()):
        for column, key in keys.items():
            holder = holders[column].get(key)
            is_held = holder is not None and (holder, column) not in given_up
            if is_held or (column, key) in taken:
                clashes[line] = column
        if line not in clashes:
            taken.update((column, key) for column, key in keys.items() if key is not None)
    return clashes
