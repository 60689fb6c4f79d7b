"""Plan what a chunk of staged rows does to students: a pure function over plain values.

``apply`` loads what a plan needs and writes what it contains:

1. ``ChunkRows.split`` separates the rows that can be applied without loading their students.
2. ``claim_keys`` returns the unique keys that the other rows claim, so that the students who hold
   them can be loaded.
3. ``ChunkPlan.build`` decides what changes, and which rows have become impossible because a
   student was changed otherwise since the check.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

from rollbook.studentfile.problems.problem import Problem
from rollbook.students import writer
from rollbook.students.diff import diff
from rollbook.students.snapshots import StudentSnapshot
from rollbook.students.writer import NewStudent, StudentChange

Key = str | None
"""A STUDENT_ID or USERNAME; None if the student has none."""

Claims = dict[str, Key]
"""The keys that one row claims, by their column."""

KeyHolders = Mapping[str, Mapping[str, int]]
"""By column: each key that is held, and the ID of the student who holds it."""

KEY_COLUMNS = ("STUDENT_ID", "USERNAME")


class PendingRow(NamedTuple):
    """A staged row that has no outcome yet, in the order of the columns that ``apply`` selects.

    Attributes:
        apply_order: The row's place in the order; rows that depend on each other share one.
        pk: The staged row's ID in the database.
        line: The row's line in the student file.
        student_id: The student's ID in the database, None for a new student.
        student_version: The version of the student that the row was compared with.
        values_json: JSON object of column to old and new value; of a new student, to its value.
        simple_columns: The columns that change, joined by commas, if all of them are simple.
        fingerprint: The row's fingerprint, None if the row had a warning.
        name_key: The name key that the student gets, None if it isn't known.
        loose_key: Likewise.
    """

    apply_order: int
    pk: int
    line: int
    student_id: int | None
    student_version: int | None
    values_json: str
    simple_columns: str | None
    fingerprint: int | None
    name_key: str | None = None
    loose_key: int | None = None


class ChangeTask(NamedTuple):
    """A row whose student has to be loaded; ``values`` is column to new value."""

    line: int
    student_id: int
    student_version: int | None
    values: dict[str, str]
    fingerprint: int | None


@dataclass(frozen=True, slots=True)
class ChunkRows:
    """The rows of a chunk by what has to be loaded for them.

    Attributes:
        simple_changes: By their columns, changes for which the student isn't loaded: a student's ID
            to the change in JSON.
        settled: The students of simple changes whose rows had no problem.
        changes: Changes that have to be compared with the student as it is now.
        new_students: The students to add, by line.
        gone: The lines of rows whose students no longer exist.
        changed_since: The lines of rows whose students have changed since the approved plan.
        without_school: The lines of rows that name a school which has been closed.
    """

    simple_changes: dict[str, dict[int, str]]
    settled: list[int]
    changes: list[ChangeTask]
    new_students: dict[int, NewStudent]
    gone: list[int]
    changed_since: list[int]
    without_school: list[int]

    @classmethod
    def split(
        cls,
        rows: Sequence[PendingRow],
        versions: Mapping[int, int],
        schools: Container[str],
        *,
        is_pinned: bool = False,
    ) -> Self:
        """Split the rows of a chunk.

        Args:
            rows: The rows of the chunk.
            versions: The students' versions now, by their IDs, without students who are gone.
            schools: The SCHOOL_IDs of the district now.
            is_pinned: Whether exactly what a person has approved may be applied.
        """
        simple_changes: defaultdict[str, dict[int, str]] = defaultdict(dict)
        settled: list[int] = []
        changes: list[ChangeTask] = []
        new_students, gone, changed_since, without_school = {}, [], [], []
        new_values = _values_of_new_students(rows)
        for row in rows:
            student_id = row.student_id
            if student_id is None:
                values = next(new_values)
                if values.get("SCHOOL_ID", "") in schools:
                    new_students[row.line] = NewStudent(
                        values, row.fingerprint, row.name_key, row.loose_key
                    )
                else:
                    without_school.append(row.line)
            elif student_id not in versions:
                gone.append(row.line)
            elif is_pinned and versions[student_id] != row.student_version:
                changed_since.append(row.line)
            elif row.simple_columns and versions[student_id] == row.student_version:
                simple_changes[row.simple_columns][student_id] = row.values_json
                if row.fingerprint is not None:
                    settled.append(student_id)
            else:
                task = _change_task(row, student_id)
                if task.values.get("SCHOOL_ID", "") in schools or "SCHOOL_ID" not in task.values:
                    changes.append(task)
                else:
                    without_school.append(row.line)
        return cls(
            simple_changes, settled, changes, new_students, gone, changed_since, without_school
        )


@dataclass(frozen=True, slots=True)
class ChunkPlan:
    """What a chunk does; each of its rows appears in exactly one of these.

    Attributes:
        rows: The rows of the chunk, with the simple changes.
        changes: Other changes by line; one without new values leaves its student unchanged.
        new_students: The students to add, by line.
        rejected: A problem for each row that has become impossible.
    """

    rows: ChunkRows
    changes: Mapping[int, StudentChange]
    new_students: Mapping[int, NewStudent]
    rejected: Sequence[Problem]

    @classmethod
    def build(
        cls,
        rows: ChunkRows,
        snapshots: Mapping[int, StudentSnapshot],
        claims: Mapping[int, Claims],
        holders: KeyHolders,
    ) -> Self:
        """Decide what the rows change and which of them are rejected.

        Args:
            rows: The rows of the chunk.
            snapshots: The students of ``rows.changes`` as they are now, by ID; with GROUPS and
                STAFF if any of the rows sets a school, groups or staff.
            claims: What ``claim_keys`` returns.
            holders: Who holds these keys.
        """
        clashes = _find_clashes(rows, claims, holders)
        changes = {
            task.line: _change(snapshots[task.student_id], task)
            for task in rows.changes
            if task.line not in clashes
        }
        new_students = {
            line: student for line, student in rows.new_students.items() if line not in clashes
        }
        rejected = [Problem("changed_meanwhile", line) for line in rows.gone]
        rejected += [Problem("changed_since", line) for line in rows.changed_since]
        rejected += [
            Problem("changed_meanwhile", line, "SCHOOL_ID") for line in rows.without_school
        ]
        rejected += [Problem("changed_meanwhile", *clash) for clash in clashes.items()]
        return cls(rows, changes, new_students, rejected)

    @property
    def unchanged_lines(self) -> set[int]:
        """The lines of rows that don't change their student."""
        return {line for line, change in self.changes.items() if not change.new}

    @property
    def rejected_lines(self) -> set[int]:
        """The lines of rows that have become impossible."""
        return {problem.line for problem in self.rejected if problem.line is not None}

    def settled_students(self) -> list[int]:
        """Return the students who then are what a row without a problem says."""
        others = self.changes.values()
        settled = [each.student.pk for each in others if each.fingerprint is not None]
        return self.rows.settled + settled

    def outcome_counts(self) -> dict[str, int]:
        """Count the rows by outcome, under the names of the update's columns."""
        simple = sum(map(len, self.rows.simple_changes.values()))
        unchanged = len(self.unchanged_lines)
        return {
            "rows_updated": simple + len(self.changes) - unchanged,
            "rows_unchanged": unchanged,
            "rows_added": len(self.new_students),
            "rows_rejected": len(self.rejected),
        }

    def field_counts(self) -> Counter[str]:
        """Count the students whose value changes, by column; new students by ``STUDENT_ADDED``."""
        changes = self.changes.values()
        counts = Counter(name for change in changes for name in writer.changed_columns(change))
        for columns, simple_changes in self.rows.simple_changes.items():
            counts.update(dict.fromkeys(columns.split(","), len(simple_changes)))
        counts[writer.STUDENT_ADDED] += len(self.new_students)
        return counts


def claim_keys(rows: ChunkRows, snapshots: Mapping[int, StudentSnapshot]) -> dict[int, Claims]:
    """Return the unique keys that rows claim, by line, for the rows that claim any."""
    claims = {line: _keys_of(student.values) for line, student in rows.new_students.items()}
    for task in rows.changes:
        claimed = _claimed_keys(snapshots[task.student_id].values, task.values)
        if claimed:
            claims[task.line] = claimed
    return claims


def keys_in(claims: Mapping[int, Claims], column: str) -> list[str]:
    """Return the keys of a column that rows claim."""
    return list(filter(None, (claim.get(column) for claim in claims.values())))


def _values_of_new_students(rows: Sequence[PendingRow]) -> Iterator[dict[str, str]]:
    """Iterate over the values of the rows that add students; parsing them together is faster."""
    texts = ",".join(row.values_json for row in rows if row.student_id is None)
    return iter(json.loads(f"[{texts}]"))


def _change_task(row: PendingRow, student_id: int) -> ChangeTask:
    old_and_new = json.loads(row.values_json)
    values = {column: new for column, (_, new) in old_and_new.items()}
    return ChangeTask(row.line, student_id, row.student_version, values, row.fingerprint)


def _change(student: StudentSnapshot, task: ChangeTask) -> StudentChange:
    """Compare a row with its student; PASSWORD is already hashed, so it is compared as stored."""
    values = dict(task.values)
    password = values.pop("PASSWORD", student.password)
    new = diff(student, values)
    if password != student.password:
        new["PASSWORD"] = password
    # A row that was compared with an earlier version may contain more than was staged of it, so
    # its fingerprint can't be stored.
    is_current = student.version == task.student_version
    fingerprint = task.fingerprint if is_current else None
    return StudentChange(student, new, fingerprint)


def _keys_of(values: Mapping[str, str]) -> Claims:
    """Return the keys that a student with these values holds."""
    student_id, username = values.get("STUDENT_ID"), values.get("USERNAME")
    return {"STUDENT_ID": student_id or None, "USERNAME": username or None}


def _claimed_keys(old: Mapping[str, str], new: Mapping[str, str]) -> Claims:
    """Return the keys that a student with the values ``old`` claims by these new values."""
    claims: Claims = {}
    for column in KEY_COLUMNS:
        if column in new and new[column] != old[column]:
            claims[column] = new[column] or None
    return claims


def _find_clashes(
    rows: ChunkRows, claims: Mapping[int, Claims], holders: KeyHolders
) -> dict[int, str]:
    """Return the lines of rows that claim a key they can't have, each with the key's column.

    A rejected row releases no key, which may make other rows impossible in turn.
    """
    if _are_free(claims, holders):
        return {}
    students = {task.line: task.student_id for task in rows.changes if task.line in claims}
    open_claims = dict(claims)
    clashes: dict[int, str] = {}
    while new_clashes := _find_clashes_once(open_claims, students, holders):
        clashes |= new_clashes
        for line in new_clashes:
            del open_claims[line]
    return clashes


def _are_free(claims: Mapping[int, Claims], holders: KeyHolders) -> bool:
    """Return whether nobody holds any of the keys, and no two rows claim the same."""
    if any(holders.values()):
        return False
    claimed = (keys_in(claims, column) for column in KEY_COLUMNS)
    return all(len({*keys}) == len(keys) for keys in claimed)


def _find_clashes_once(
    claims: Mapping[int, Claims], students: Mapping[int, int], holders: KeyHolders
) -> dict[int, str]:
    """Return rows that claim a key which is held and not released, or claimed by an earlier row.

    Args:
        claims: The keys that rows claim, by line.
        students: Line to the ID of the row's student, without new students, who release no key.
        holders: Who holds the keys.

    Returns:
        Line to the column of the key.
    """
    released: set[tuple[int, str]] = set()
    for line, keys in claims.items():
        if line in students:
            released.update((students[line], column) for column in keys)
    assigned: set[tuple[str, Key]] = set()
    clashes: dict[int, str] = {}
    for line, keys in sorted(claims.items()):
        for column, key in keys.items():
            holder = holders[column].get(key) if key else None
            is_held = holder is not None and (holder, column) not in released
            if is_held or (column, key) in assigned:
                clashes[line] = column
        if line not in clashes:
            assigned.update((column, key) for column, key in keys.items() if key is not None)
    return clashes
