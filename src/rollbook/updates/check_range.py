"""Check one byte range of a student file: what differs is staged, what is wrong is rejected, the rest is unchanged.

Both checking processes use this. Each batch commits together with the position at which the next one begins, so a check
that was interrupted resumes there.
"""

import logging
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import compress, count

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from rollbook.format import reader
from rollbook.format.checker import CheckedRow, Checker, missing_to_add
from rollbook.format.header import Header
from rollbook.format.problems import Problem
from rollbook.format.reader import Place, RawRow, Records, rows_of
from rollbook.roster import digests, matching, records
from rollbook.roster.changing import member_keys
from rollbook.roster.comparing import differences
from rollbook.roster.days import day_of
from rollbook.roster.digests import NOBODY, Accepted, Digests, Known
from rollbook.roster.matching import Candidates
from rollbook.roster.models import School
from rollbook.roster.records import Record
from rollbook.updates import problems, spool, staging, states
from rollbook.updates.models import Batch, Update
from rollbook.updates.moves import Mode, State
from rollbook.updates.staging import StagedRow
from rollbook.updates.stretches import Stretch

log = logging.getLogger(__name__)

SMALLEST, LARGEST = 4000, 20_000  # records of a batch: many while nearly all are known already, else few


@dataclass(slots=True)
class Findings:
    """What one batch of records came to."""

    staged: list[StagedRow] = field(default_factory=list)
    rejected: list[StagedRow] = field(default_factory=list)
    unchanged: int = 0
    rows: int = 0
    problems: list[Problem] = field(default_factory=list)
    accepted: list[Accepted] = field(default_factory=list)
    students: "array[int]" = field(default_factory=lambda: array("q"))  # whom each row means, where that is known
    lines: "array[int]" = field(default_factory=lambda: array("q"))


class RangeWorker:
    """Checks stretches in a process of its own, for as long as the run holds the update."""

    def __init__(self, update_id: int, run: str, known: Known) -> None:
        self._update = Update.objects.select_related("district").get(pk=update_id)
        self._run = run
        self._rules = RowRules(self._update, Header.parse(self._update.header)[0])
        self._rules.known = known

    def check(self, stretch: Stretch) -> None:
        """Check this one. Raises states.Fenced."""
        for _ in check_byte_range(stretch, self._update, self._run, self._rules):
            pass


def check_byte_range(stretch: Stretch, update: Update, run: str, rules: "RowRules") -> Iterator[None]:
    """Check the rows of one byte range, one batch a step. Raises states.Fenced."""
    for some in reader.read_records(
        spool.path_of(update.spool_name),
        encoding=update.read_as,
        header=rules.header,
        start=stretch.start,
        stop=stretch.stop,
        size=LARGEST,
    ):
        for part in rules.parts(some):
            findings = rules.findings(part)
            with transaction.atomic():
                _commit(update, run, findings, part.records.end)
            yield


@dataclass(frozen=True, slots=True)
class Part:
    """Some records, the digest of each, and the student whose last record had the same digest, or NOBODY."""

    records: Records
    digests: "array[int]"
    students: "array[int]"


class RowRules:
    """The district's side of checking: who is enrolled, which schools and staff there are, what the mode allows."""

    def __init__(self, update: Update, header: Header) -> None:
        self._district_id = update.district_id
        self._may_add = update.mode == Mode.ADD
        self.header = header
        self._checker = Checker(header, day_of(update.district, timezone.now()))
        self._digests = Digests(update.district_id, header.names)
        self._with_links = not header.known.isdisjoint({"GROUPS", "STAFF"})
        self._schools = set(
            School.objects.filter(district_id=update.district_id).values_list("organization_id", flat=True)
        )

    @cached_property
    def known(self) -> Known:
        """The district's students as they were when the check began."""
        return Known.of(self._district_id)

    def check(self, row: RawRow) -> CheckedRow:
        """The row's clean values and problems. An error of ours in a rule rejects the row and goes into the log."""
        try:
            return self._checker.check(row)
        except Exception:
            log.exception("a rule failed on line %d", row.line)
            return CheckedRow(row.line, {}, [Problem("internal_error", row.line)])

    def parts(self, records: Records) -> Iterator[Part]:
        """The records and who is known by them; all at once if nearly all are known, else in parts."""
        digests = self._digests.of(records.records)
        students = self.known.students(digests)
        if students.count(NOBODY) <= SMALLEST:
            yield Part(records, digests, students)
            return
        for first, some in zip(count(0, SMALLEST), records.parts(SMALLEST)):
            last = first + SMALLEST
            yield Part(some, digests[first:last], students[first:last])

    def findings(self, part: Part) -> Findings:
        """What some records come to. Those of students who are known by them are unchanged, unread."""
        given, lines = part.records.records, part.records.lines
        known = array("q", compress(part.students, part.students))
        found = Findings(students=known, lines=array("q", compress(lines, part.students)))
        found.unchanged = found.rows = len(known)
        unknown = [at for at, student in enumerate(part.students) if student == NOBODY]
        if unknown:
            lines = [lines[at] for at in unknown]
            rows = rows_of([given[at] for at in unknown], lines, self.header)
            found.rows += len(rows)
            self._look_into(rows, dict(zip(lines, (part.digests[at] for at in unknown), strict=True)), found)
        return found

    def _look_into(self, rows: list[RawRow], digests: Mapping[int, int], found: Findings) -> None:
        """Rows that differ from whatever set their students last; ``digests`` by line."""
        checked = [self.check(row) for row in rows]
        self._check_places(checked)
        candidates = Candidates(self._district_id, [row.values for row in checked])
        matches = [candidates.match(row.line, row.values) for row in checked]
        if self._with_links:
            records.add_links({match.record.pk: match.record for match in matches if match.record}.values())
        strangers = []
        for row, match in zip(checked, matches, strict=True):
            if match.problem:
                row.problems.append(match.problem)
            if match.record:
                found.students.append(match.record.pk)
                found.lines.append(row.line)
            elif not row.rejected:
                strangers.append(row)
                continue
            _judge(row, match.record, digests[row.line], found)
        self._judge_strangers(strangers, digests, found)

    def _check_places(self, checked: list[CheckedRow]) -> None:
        """Schools and members that the district does not have. Another district's are unknown like any other."""
        emails = {email for row in checked for email in row.values.get("STAFF", "").split("&") if email}
        members = member_keys(self._district_id, emails) if emails else {}
        for row in checked:
            school = row.values.get("SCHOOL_ID")
            if school is not None and school not in self._schools:
                row.problems.append(Problem("unknown_school", row.line, "SCHOOL_ID", school))
                del row.values["SCHOOL_ID"]
            if row.values.get("STAFF"):
                listed = row.values["STAFF"].split("&")
                row.problems += [
                    Problem("unknown_staff", row.line, "STAFF", email) for email in listed if email not in members
                ]
                row.values["STAFF"] = "&".join(email for email in listed if email in members)

    def _judge_strangers(self, rows: list[CheckedRow], digests: Mapping[int, int], found: Findings) -> None:
        """Rows that mean nobody who is enrolled: new students where the mode allows it."""
        if self._may_add:
            for row in rows:
                row.problems += missing_to_add(row.values, row.line)
                _judge(row, None, digests[row.line], found)
            return
        ids = {row.values["STUDENT_ID"] for row in rows if row.values.get("STUDENT_ID")}
        zeros = matching.without_zeros(self._district_id, ids) if ids else {}
        for row in rows:
            row.problems.append(matching.unknown_student(row.line, row.values, zeros))
            _judge(row, None, digests[row.line], found)


def _judge(row: CheckedRow, record: Record | None, digest: int, found: Findings) -> None:
    """Reject, stage or pass over one row whose problems are all known.

    A row with a warning is not remembered by its digest: the next night has to warn again, and may find the cause gone.
    """
    found.problems += row.problems
    kept = None if row.problems else digest
    if row.rejected:
        found.rejected.append(staging.rejected(row.line, record, row.values))
    elif record is None:
        found.staged.append(staging.adding(row.line, row.values, kept))
    elif new := differences(record, row.values):
        found.staged.append(staging.changing(row.line, record, new, kept))
    else:
        found.unchanged += 1
        if kept is not None:
            found.accepted.append(Accepted(record.pk, record.edition, kept))


def _commit(update: Update, run: str, found: Findings, end: Place) -> None:
    """The fence comes first; from there on the two processes of a large file take turns."""
    counted = Update.objects.select_for_update(no_key=True).values_list("problem_counts", flat=True).get(pk=update.pk)
    states.progress(
        update.pk,
        State.CHECKING,
        run,
        read=F("read") + found.rows,
        staged=F("staged") + len(found.staged),
        rejected=F("rejected") + len(found.rejected),
        unchanged=F("unchanged") + found.unchanged,
        problem_counts=problems.counts(found.problems, counted),
    )
    staging.stage(update.pk, [*found.staged, *found.rejected])
    digests.keep(found.accepted)
    problems.keep(update.pk, found.problems, counted)
    Batch.objects.create(
        update=update,
        end_byte=end.byte,
        end_line=end.line,
        students=found.students.tobytes(),
        lines=found.lines.tobytes(),
    )
