"""4. Staged rows become changes, chunk by chunk; each chunk commits students, history, outcomes and counters together.

The staged rows say what is left to do. Each chunk is compared with the students as they are now, so whatever happened
since the check, the history tells the truth; a row that has become impossible is rejected alone.
"""

import json
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from rollbook.database import statistics
from rollbook.format.problems import Problem
from rollbook.roster import changing, records
from rollbook.roster.changing import Author, Newcomer, PlainRevision, Revision
from rollbook.roster.comparing import differences
from rollbook.roster.names import name_of
from rollbook.roster.records import Record
from rollbook.updates import fields, problems, states
from rollbook.updates.models import Row, Update
from rollbook.updates.moves import Outcome, State

CHUNK_SECONDS = 0.25  # how long a chunk should take: the longest that a cancel waits, see decisions/databases.md
SMALLEST, LARGEST = 100, 5000  # students


class Waiting(NamedTuple):
    """One staged row, the columns of which are those of ``models.Row``."""

    turn: int
    pk: int
    line: int
    student: int | None
    edition: int | None
    row_values: str
    plain: str | None
    digest: int | None


@dataclass(frozen=True, slots=True)
class Task:
    """What a staged row says of a student, or of a new one; the edition is that which it was compared with."""

    line: int
    student: int | None
    edition: int | None
    said: dict[str, str]
    digest: int | None


def steps(update: Update, run: str) -> Iterator[None]:
    """Apply the staged rows, one chunk a step. Raises states.Fenced."""
    size, turn = SMALLEST, update.applied_turn
    changed = fields.counted(update)
    growth = statistics.Growth("roster_student", "roster_rowdigest", "roster_student_groups")
    while True:
        begun = time.monotonic()
        with transaction.atomic():
            statistics.rely_on_indexes()
            rows = _next_rows(update, size, turn)
            if not rows:
                return
            turn = rows[-1].turn
            _apply(update, run, rows, changed)
        size = _next_size(size, time.monotonic() - begun)
        growth.by(sum(row.student is None for row in rows))
        yield


def _next_size(size: int, seconds: float) -> int:
    """How many students the next chunk should have, at most twice as many as this one."""
    wanted = int(size * min(2.0, CHUNK_SECONDS / max(seconds, 0.001)))
    return max(SMALLEST, min(LARGEST, wanted))


def _next_rows(update: Update, size: int, after: int) -> list[Waiting]:
    """The rows whose turn it is; rows of one turn are never parted."""
    waiting = "FROM updates_row WHERE update_id = %s AND outcome IS NULL AND turn > %s"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT turn, id, line, student_id, edition, row_values, plain, digest {waiting} AND turn <="
            f" (SELECT MAX(turn) FROM (SELECT turn {waiting} ORDER BY turn LIMIT %s) AS next_turns)"
            " ORDER BY turn, line",
            [update.pk, after, update.pk, after, size],
        )
        return [Waiting(*row) for row in cursor.fetchall()]


def _task(row: Waiting) -> Task:
    said = json.loads(row.row_values)
    if row.student is not None and row.edition is not None:  # version 0.1 kept the new values only, and no editions
        said = {column: new for column, (_, new) in said.items()}
    return Task(row.line, row.student, row.edition, said, row.digest)


def _apply(update: Update, run: str, rows: Sequence[Waiting], changed: Counter[str]) -> None:
    """Write one chunk inside the caller's transaction; ``changed`` counts by column."""
    plan = _Plan(update.district_id, rows)
    changed.update(plan.changed())
    author = Author(update.pk, update.member_id, timezone.now())
    for columns, plainly in plan.plainly.items():
        changing.revise_plainly(columns.split(","), plainly, author)
    changing.revise(update.district_id, list(plan.revisions.values()), author)
    changing.enroll(update.district_id, list(plan.newcomers.values()), author)
    unchanged = {line for line, revision in plan.revisions.items() if not revision.new}
    rejected = {problem.line for problem in plan.rejected}
    for outcome, lines in ((Outcome.UNCHANGED, unchanged), (Outcome.REJECTED, rejected)):
        if lines:
            Row.objects.filter(pk__in=[row.pk for row in rows if row.line in lines]).update(outcome=outcome)
    counts = {
        "updated": len(rows) - len(plan.newcomers) - len(unchanged) - len(rejected),
        "unchanged": len(unchanged),
        "added": len(plan.newcomers),
        "rejected": len(rejected),
    }
    counters = {outcome: F(outcome) + count for outcome, count in counts.items()}
    _progress(update, run, plan.rejected, {**counters, "applied_turn": rows[-1].turn, "field_counts": +changed})


def _progress(update: Update, run: str, rejected: Sequence[Problem], counters: Mapping[str, object]) -> None:
    facts = dict(counters)
    if rejected:
        counted = Update.objects.values_list("problem_counts", flat=True).get(pk=update.pk)
        facts["problem_counts"] = problems.counts(rejected, counted)
        problems.keep(update.pk, rejected)
    states.progress(update.pk, State.APPLYING, run, **facts)


class _Plan:
    """What a chunk will do: plain revisions by their columns; by their lines those that need a closer look, and new
    students; and the rows that became impossible."""

    def __init__(self, district_id: int, rows: Sequence[Waiting]) -> None:
        editions = records.locked([row.student for row in rows if row.student is not None])
        self.plainly: defaultdict[str, list[PlainRevision]] = defaultdict(list)
        tasks = []
        for row in rows:
            if row.student is not None and row.plain and editions.get(row.student) == row.edition:
                self.plainly[row.plain].append(PlainRevision(row.student, row.row_values, row.digest))
            else:
                tasks.append(_task(row))
        known = [task for task in tasks if task.student in editions]
        self.revisions = {task.line: _revision(record, task) for task, record in _students(known)}
        self.newcomers = {task.line: Newcomer(task.said, task.digest) for task in tasks if task.student is None}
        gone = [task for task in tasks if task.student is not None and task.student not in editions]
        self.rejected = [Problem("changed_meanwhile", task.line) for task in gone]
        self._reject_clashes(district_id)

    def changed(self) -> Counter[str]:
        """In how many students each column changes; changing.ADDED counts those who are new."""
        changed = Counter(column for revision in self.revisions.values() for column in changing.told_columns(revision))
        for columns, plainly in self.plainly.items():
            changed.update(dict.fromkeys(columns.split(","), len(plainly)))
        changed[changing.ADDED] += len(self.newcomers)
        return changed

    def _reject_clashes(self, district_id: int) -> None:
        """Reject whoever takes a key that somebody holds who does not give it up in this chunk."""
        wanted = _Wanted(district_id, self.revisions, self.newcomers)
        while clashing := wanted.clashing({line: revision.record.pk for line, revision in self.revisions.items()}):
            for line, column in clashing.items():
                self.revisions.pop(line, None)
                self.newcomers.pop(line, None)
                wanted.drop(line)
                self.rejected.append(Problem("changed_meanwhile", line, column))


def _students(tasks: Sequence[Task]) -> list[tuple[Task, Record]]:
    """Each task with its student as it is now."""
    known = records.by_pk([task.student for task in tasks if task.student])
    if any(not task.said.keys().isdisjoint({"GROUPS", "STAFF", "SCHOOL_ID"}) for task in tasks):
        records.add_links(known.values())
    return [(task, known[task.student]) for task in tasks if task.student in known]


def _revision(record: Record, task: Task) -> Revision:
    said = task.said
    new = differences(record, {column: value for column, value in said.items() if column != "PASSWORD"})
    if said.get("PASSWORD", record.password) != record.password:
        new["PASSWORD"] = said["PASSWORD"]
    # The row was compared with an earlier edition: it may say more than what was staged of it then.
    return Revision(record, new, task.digest if record.edition == task.edition else None)


def _keys(values: Mapping[str, str]) -> dict[str, object]:
    """The keys a student with these values holds, by the column that a clash is told under."""
    return {
        "STUDENT_ID": values.get("STUDENT_ID") or None,
        "USERNAME": values.get("USERNAME") or None,
        "LAST_NAME": name_of(values),
    }


class _Wanted:
    """The keys that the rows of a chunk take, and who holds them now."""

    def __init__(self, district_id: int, revisions: Mapping[int, Revision], newcomers: Mapping[int, Newcomer]) -> None:
        self._takes: dict[int, dict[str, object]] = {line: _keys(new.values) for line, new in newcomers.items()}
        for line, revision in revisions.items():
            old, new = _keys(revision.record.values), _keys({**revision.record.values, **revision.new})
            self._takes[line] = {column: key for column, key in new.items() if key != old[column]}
        self._gives = {line: {column for column in takes if line in revisions} for line, takes in self._takes.items()}
        self._holders = self._look_up(district_id)

    def drop(self, line: int) -> None:
        """The row was rejected: it takes nothing and gives nothing up."""
        del self._takes[line], self._gives[line]

    def clashing(self, students: Mapping[int, int]) -> dict[int, str]:
        """Lines of the rows that take a held key, or one that a row before them takes, and the key's column.

        ``students`` are those still to be revised.
        """
        given_up = {(students[line], column) for line, columns in self._gives.items() for column in columns}
        taken: set[tuple[str, object]] = set()
        clashes = {}
        for line, takes in sorted(self._takes.items()):
            for column, key in takes.items():
                holder = self._holders[column].get(key)
                if (holder is not None and (holder, column) not in given_up) or (column, key) in taken:
                    clashes[line] = column
            if line not in clashes:
                taken.update((column, key) for column, key in takes.items() if key is not None)
        return clashes

    def _look_up(self, district_id: int) -> dict[str, dict[object, int]]:
        wanted: defaultdict[str, list[object]] = defaultdict(list)
        for takes in self._takes.values():
            for column, key in takes.items():
                if key is not None:
                    wanted[column].append(key)
        return {column: records.holders(district_id, column, wanted[column]) for column in _HOLDING}


_HOLDING = ("STUDENT_ID", "USERNAME", "LAST_NAME")
