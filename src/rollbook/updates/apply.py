"""4. Staged rows become changes, chunk by chunk; each chunk commits students, history, outcomes and counters together.

The staged rows say what is left to do. Each chunk is compared with the students as they are now, so whatever happened
since the check, the history tells the truth; a row that has become impossible is rejected alone.
"""

import json
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from rollbook.database.statistics import Growth
from rollbook.format.problems import Problem
from rollbook.roster import changing, records
from rollbook.roster.changing import PLAIN, Author, Newcomer, Revision
from rollbook.roster.comparing import differences
from rollbook.roster.names import name_of
from rollbook.roster.records import Record
from rollbook.updates import fields, problems, states
from rollbook.updates.models import Row, Update
from rollbook.updates.moves import Outcome, State

CHUNK_SECONDS = 0.25  # how long a chunk should take: the longest that a cancel waits, see decisions/databases.md
SMALLEST, LARGEST = 100, 5000  # students


@dataclass(frozen=True, slots=True)
class Task:
    """One staged row: its own key, its line, the student's key and edition or None for a new one, what the row says and
    what the student was when it was compared, PASSWORD sealed, and its digest."""

    pk: int
    line: int
    student: int | None
    edition: int | None
    said: dict[str, str]
    old: dict[str, str]
    digest: int | None


def steps(update: Update, run: str) -> Iterator[None]:
    """Apply the staged rows, one chunk a step. Raises states.Fenced."""
    size, turn = SMALLEST, update.applied_turn
    changed = fields.counted(update)
    growth = Growth("roster_student", "roster_rowdigest", "roster_student_groups")
    while True:
        begun = time.monotonic()
        with transaction.atomic():
            turn, tasks = _next_tasks(update, size, turn)
            if not tasks:
                return
            _apply(update, run, tasks, turn, changed)
        size = _next_size(size, time.monotonic() - begun)
        growth.by(sum(task.student is None for task in tasks))
        yield


def _next_size(size: int, seconds: float) -> int:
    """How many students the next chunk should have, at most twice as many as this one."""
    wanted = int(size * min(2.0, CHUNK_SECONDS / max(seconds, 0.001)))
    return max(SMALLEST, min(LARGEST, wanted))


def _next_tasks(update: Update, size: int, after: int) -> tuple[int, list[Task]]:
    """The last turn that it is now, and the rows whose turn it is; rows of one turn are never parted."""
    waiting = "FROM updates_row WHERE update_id = %s AND outcome IS NULL AND turn > %s"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT turn, id, line, student_id, edition, row_values, digest {waiting} AND turn <="
            f" (SELECT MAX(turn) FROM (SELECT turn {waiting} ORDER BY turn LIMIT %s) AS next_turns)"
            " ORDER BY turn, line",
            [update.pk, after, update.pk, after, size],
        )
        found = cursor.fetchall()
    return (found[-1][0] if found else after), [_task(*row[1:]) for row in found]


def _task(pk: int, line: int, student: int | None, edition: int | None, row_values: str, digest: int | None) -> Task:
    said = json.loads(row_values)
    if student is None:
        return Task(pk, line, student, edition, said, {}, digest)
    if edition is None:  # staged by version 0.1, which kept the new values only and knew no editions
        return Task(pk, line, student, edition, said, {}, digest)
    old, new = ({column: pair[which] for column, pair in said.items()} for which in (0, 1))
    return Task(pk, line, student, edition, new, old, digest)


def _apply(update: Update, run: str, tasks: Sequence[Task], turn: int, changed: Counter[str]) -> None:
    """Write one chunk, the rows up to this turn, inside the caller's transaction; ``changed`` counts by column."""
    plan = _Plan(update.district_id, tasks)
    changed.update(column for revision in plan.revisions.values() for column in changing.told_columns(revision))
    changed[changing.ADDED] += len(plan.newcomers)
    author = Author(update.pk, update.member_id, timezone.now())
    changing.revise(update.district_id, list(plan.revisions.values()), author)
    changing.enroll(update.district_id, list(plan.newcomers.values()), author)
    unchanged = {line for line, revision in plan.revisions.items() if not revision.new}
    rejected = {problem.line for problem in plan.rejected}
    for outcome, lines in ((Outcome.UNCHANGED, unchanged), (Outcome.REJECTED, rejected)):
        if lines:
            Row.objects.filter(pk__in=[task.pk for task in tasks if task.line in lines]).update(outcome=outcome)
    counts = {
        "updated": len(plan.revisions) - len(unchanged),
        "unchanged": len(unchanged),
        "added": len(plan.newcomers),
        "rejected": len(rejected),
    }
    counters = {outcome: F(outcome) + count for outcome, count in counts.items()}
    _progress(update, run, plan.rejected, {**counters, "applied_turn": turn, "field_counts": +changed})


def _progress(update: Update, run: str, rejected: Sequence[Problem], counters: Mapping[str, object]) -> None:
    facts = dict(counters)
    if rejected:
        counted = Update.objects.values_list("problem_counts", flat=True).get(pk=update.pk)
        facts["problem_counts"] = problems.counts(rejected, counted)
        problems.keep(update.pk, rejected)
    states.progress(update.pk, State.APPLYING, run, **facts)


class _Plan:
    """What a chunk will do: line to revision, line to new student, and the rows that became impossible."""

    def __init__(self, district_id: int, tasks: Sequence[Task]) -> None:
        changing = {task.student: task for task in tasks if task.student is not None}
        editions = records.locked(changing)
        plain = [task for task in changing.values() if _is_plain(task, editions)]
        known = _students([task for pk, task in changing.items() if pk in editions and not _is_plain(task, editions)])
        self._keyed = {task.line: _revision(record, task) for task, record in known}
        self.revisions = {task.line: _plain_revision(task) for task in plain} | self._keyed
        self.newcomers = {task.line: Newcomer(task.said, task.digest) for task in tasks if task.student is None}
        self.rejected = [Problem("changed_meanwhile", task.line) for pk, task in changing.items() if pk not in editions]
        self._reject_clashes(district_id)

    def _reject_clashes(self, district_id: int) -> None:
        """Reject whoever takes a key that somebody holds who does not give it up in this chunk."""
        wanted = _Wanted(district_id, self._keyed, self.newcomers)
        while clashing := wanted.clashing({line: revision.record.pk for line, revision in self._keyed.items()}):
            for line, column in clashing.items():
                self.revisions.pop(line, None)
                self._keyed.pop(line, None)
                self.newcomers.pop(line, None)
                wanted.drop(line)
                self.rejected.append(Problem("changed_meanwhile", line, column))


def _is_plain(task: Task, editions: Mapping[int, int]) -> bool:
    """Whether nothing has to be looked up: the student is as it was compared, and no key or link changes."""
    return editions.get(task.student or 0) == task.edition and task.said.keys() <= PLAIN


def _students(tasks: Sequence[Task]) -> list[tuple[Task, Record]]:
    """Each task with its student as it is now."""
    known = records.by_pk([task.student for task in tasks if task.student])
    if any(not task.said.keys().isdisjoint({"GROUPS", "STAFF", "SCHOOL_ID"}) for task in tasks):
        records.add_links(known.values())
    return [(task, known[task.student]) for task in tasks if task.student in known]


def _plain_revision(task: Task) -> Revision:
    return Revision(Record(task.student or 0, task.edition or 0, "", task.old), task.said, task.digest)


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
