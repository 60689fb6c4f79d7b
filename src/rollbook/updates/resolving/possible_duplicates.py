"""Find rows whose student may be another one: by a similar STUDENT_ID, or by name and birth date.

A row without a STUDENT_ID that could be about two students is rejected, and so are new students
whose IDs differ only in zeros or case. Other students may share a name and a date of birth; then
their rows get a warning.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, groupby, starmap
from operator import attrgetter

from rollbook.db.json_keys import IN_JSON_INTEGERS, as_json_parameter
from rollbook.studentfile.problems.problem import Problem
from rollbook.students import similar_ids, snapshots
from rollbook.students.matching import ambiguous_student, describe
from rollbook.students.name_keys import without_missing_name
from rollbook.updates.resolving.resolver import ConflictResolver

CODE = "possible_duplicate"


@dataclass(frozen=True, slots=True)
class _NamedRow:
    """A pending row that gives a student a name and a date of birth.

    Attributes:
        loose_key: Of the name and date of birth, see ``name_keys``.
        line: The line of the row.
        student: The ID in the database of an enrolled student; None for a new one.
        student_id: The STUDENT_ID in the row, if the student doesn't have it yet.
        username: The username in the row, if the student doesn't have it yet.
        name_key: The exact name.
        dob: The exact date of birth.
    """

    loose_key: int
    line: int
    student: int | None
    student_id: str | None
    username: str | None
    name_key: str
    dob: object

    @property
    def description(self) -> str:
        """What identifies the student in a message."""
        return describe({"STUDENT_ID": self.student_id or "", "USERNAME": self.username or ""})


_SIMILAR_NEW_IDS = """
WITH new_student AS (
  SELECT {folded} AS folded, claims_student_id, line
  FROM updates_stagedrow
  WHERE update_id = %s AND outcome IS NULL AND claims_student_id IS NOT NULL
    AND student_id IS NULL
)
SELECT folded, claims_student_id, line
FROM new_student
WHERE folded IN (
    SELECT folded FROM new_student GROUP BY folded HAVING COUNT(DISTINCT claims_student_id) > 1
  )
ORDER BY folded, line""".format(folded=similar_ids.folded_sql("claims_student_id"))


def similar_new_ids(resolver: ConflictResolver) -> Iterator[Problem]:
    """Yield a problem for each new student whose ID is another's except for zeros or case."""
    groups: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
    for folded, student_id, line in resolver.query(_SIMILAR_NEW_IDS, resolver.update.pk):
        groups[folded].append((student_id, line))
    for group in groups.values():
        for student_id, line in group:
            other_id, other_line = next(other for other in group if other[0] != student_id)
            hint = f"compare it with {other_id} on line {other_line}, and correct one of them"
            yield Problem("similar_student_id", line, "STUDENT_ID", student_id, hint)


def new_rows_without_id(resolver: ConflictResolver) -> tuple[list[list[int]], list[Problem]]:
    """Find new students of whom one row has no STUDENT_ID.

    Returns:
        For each student who appears several times, the lines in ascending order; and a problem for
        each row without an ID that could be about several students.
    """
    by_name: defaultdict[tuple[str, object], list[_NamedRow]] = defaultdict(list)
    for row in chain.from_iterable(_repeated_names(resolver)):
        if row.student is None:
            by_name[without_missing_name(row.name_key), row.dob].append(row)
    same_student, ambiguous = [], []
    for rows in by_name.values():
        with_id = [row for row in rows if row.student_id]
        without_id = [row for row in rows if not row.student_id]
        ids = list(dict.fromkeys(row.student_id or "" for row in with_id))
        if len(ids) > 1:
            values = [{"STUDENT_ID": student_id} for student_id in ids]
            ambiguous += [ambiguous_student(row.line, values) for row in without_id]
        elif without_id and len(rows) > 1:
            same_student.append([row.line for row in rows])
    return same_student, ambiguous


def warn(resolver: ConflictResolver) -> Iterator[None]:
    """Warn about rows that give a student the name and date of birth of another."""
    warnings = {**_duplicates_in_file(resolver), **_duplicates_of_enrolled(resolver)}
    return resolver.warn_once(CODE, [warnings[line] for line in sorted(warnings)])


_NAMED_ROWS = f"""
SELECT claims_loose_key, line, student_id, claims_student_id, claims_username, claims_name_key,
  claims_dob
FROM updates_stagedrow
WHERE update_id = %s AND outcome IS NULL AND claims_loose_key {IN_JSON_INTEGERS}
ORDER BY claims_loose_key, line"""


def _repeated_names(resolver: ConflictResolver) -> list[list[_NamedRow]]:
    """Return pending rows that have the same name and date of birth, at least loosely, together."""
    repeated = resolver.repeated_keys("claims_loose_key")
    if not repeated:
        return []
    rows = resolver.query(_NAMED_ROWS, resolver.update.pk, as_json_parameter(repeated))
    groups = groupby(starmap(_NamedRow, rows), key=attrgetter("loose_key"))
    named = (list(same) for _, same in groups)
    return [same for same in named if len(same) > 1]


def _duplicates_in_file(resolver: ConflictResolver) -> dict[int, Problem]:
    """Return a warning for each row whose name and date of birth another row has too, by line."""
    groups = _repeated_names(resolver)
    known = _load_descriptions(row.student for rows in groups for row in rows[:2])
    warnings = {}
    for rows in groups:
        for row in rows:
            other = rows[1] if row is rows[0] else rows[0]
            who = known.get(other.student or 0, other.description)
            warnings[row.line] = _warning(row.line, f"{who} on line {other.line}")
    return warnings


_ENROLLED_WITH_CLAIMED_NAMES = """
WITH claimed AS (
  SELECT DISTINCT claims_loose_key AS loose_key
  FROM updates_stagedrow
  WHERE update_id = %s AND claims_loose_key IS NOT NULL
), holder AS (
  SELECT student.loose_key, MIN(student.id) AS first_id, MAX(student.id) AS last_id
  FROM claimed
  JOIN students_student student ON student.district_id = %s
    AND student.loose_key = claimed.loose_key
  WHERE NOT EXISTS (
    SELECT 1
    FROM updates_stagedrow release
    WHERE release.update_id = %s AND release.student_id = student.id
      AND release.outcome IS NULL AND release.claims_loose_key <> student.loose_key
  )
  GROUP BY student.loose_key
)
SELECT claim.line, claim.student_id, holder.first_id, holder.last_id
FROM updates_stagedrow claim
JOIN holder ON holder.loose_key = claim.claims_loose_key
WHERE claim.update_id = %s AND claim.outcome IS NULL"""
"""Rows and two of the students with their name and date of birth, who may be the same. Students
whose names change in the same file are left out.
"""


def _duplicates_of_enrolled(resolver: ConflictResolver) -> dict[int, Problem]:
    """Return a warning for each row whose name and date of birth an enrolled student has."""
    update = resolver.update
    parameters = (update.pk, update.district_id, update.pk, update.pk)
    others = {}
    for line, student, first, last in resolver.query(_ENROLLED_WITH_CLAIMED_NAMES, *parameters):
        other = last if first == student else first
        if other != student:
            others[line] = other
    known = _load_descriptions(others.values())
    return {line: _warning(line, known[other]) for line, other in others.items()}


def _load_descriptions(students: Iterable[int | None]) -> dict[int, str]:
    """Return what identifies students in a message, by their IDs in the database."""
    pks = {pk for pk in students if pk is not None}
    loaded = snapshots.load_by_id(pks) if pks else {}
    return {pk: describe(student.values) for pk, student in loaded.items()}


def _warning(line: int, other: str) -> Problem:
    hint = f"compare the student with {other}; if they are the same person, keep one of them"
    return Problem(CODE, line, "LAST_NAME", hint=hint)
