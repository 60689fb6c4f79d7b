"""2. Rows read, matched and compared: what differs is staged, what is wrong is rejected, the rest is unchanged.

Each batch commits with the place in the file where the next one begins, so a check goes on where it was.
"""

import logging
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from rollbook.format import reader
from rollbook.format.checker import CheckedRow, Checker, missing_to_add
from rollbook.format.header import Header
from rollbook.format.problems import Problem
from rollbook.format.reader import Place, RawRow
from rollbook.roster import matching, records
from rollbook.roster.changing import member_keys
from rollbook.roster.comparing import differences
from rollbook.roster.matching import Candidates
from rollbook.roster.models import School
from rollbook.roster.records import Record
from rollbook.updates import problems, spool, staging, states
from rollbook.updates.models import Batch, Update
from rollbook.updates.moves import Mode, Outcome, State
from rollbook.updates.staging import StagedRow

log = logging.getLogger(__name__)

BATCH = 2000  # rows


@dataclass(slots=True)
class Findings:
    """What one batch of rows came to."""

    staged: list[StagedRow] = field(default_factory=list)
    rejected: list[StagedRow] = field(default_factory=list)
    unchanged: int = 0
    problems: list[Problem] = field(default_factory=list)
    students: "array[int]" = field(default_factory=lambda: array("q"))  # whom each row means, where that is known
    lines: "array[int]" = field(default_factory=lambda: array("q"))


def steps(update: Update, run: str) -> Iterator[None]:
    """Check the rows that have not been checked yet, one batch a step. Raises states.Fenced and spool.LostFile."""
    spool.require_whole(update.spool_name, update.file_digest)
    header, _ = Header.parse(update.header)
    rules = RowRules(update, header)
    batches = reader.read_batches(
        spool.path_of(update.spool_name), encoding=update.read_as, header=header, start=_place(update), size=BATCH
    )
    for batch in batches:
        findings = rules.findings(batch.rows)
        with transaction.atomic():
            _commit(update, run, findings, len(batch.rows), batch.end)
        yield


class RowRules:
    """The district's side of checking: who is enrolled, which schools and staff there are, what the mode allows."""

    def __init__(self, update: Update, header: Header) -> None:
        self._district_id = update.district_id
        self._may_add = update.mode == Mode.ADD
        self._checker = Checker(header, today(update))
        self._with_links = not header.known.isdisjoint({"GROUPS", "STAFF"})
        self._schools = set(
            School.objects.filter(district_id=update.district_id).values_list("organization_id", flat=True)
        )

    def check(self, row: RawRow) -> CheckedRow:
        """The row's clean values and problems. An error of ours in a rule rejects the row and goes into the log."""
        try:
            return self._checker.check(row)
        except Exception:
            log.exception("a rule failed on line %d", row.line)
            return CheckedRow(row.line, {}, [Problem("internal_error", row.line)])

    def findings(self, rows: list[RawRow]) -> Findings:
        """What a batch of rows comes to."""
        checked = [self.check(row) for row in rows]
        self._check_places(checked)
        candidates = Candidates(self._district_id, [row.values for row in checked])
        matches = [candidates.match(row.line, row.values) for row in checked]
        if self._with_links:
            records.add_links({match.record.pk: match.record for match in matches if match.record}.values())
        found = Findings()
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
            _judge(row, match.record, found)
        self._judge_strangers(strangers, found)
        return found

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

    def _judge_strangers(self, rows: list[CheckedRow], found: Findings) -> None:
        """Rows that mean nobody who is enrolled: new students where the mode allows it."""
        if self._may_add:
            for row in rows:
                row.problems += missing_to_add(row.values, row.line)
                _judge(row, None, found)
            return
        ids = {row.values["STUDENT_ID"] for row in rows if row.values.get("STUDENT_ID")}
        zeros = matching.without_zeros(self._district_id, ids) if ids else {}
        for row in rows:
            row.problems.append(matching.unknown_student(row.line, row.values, zeros))
            _judge(row, None, found)


def today(update: Update) -> date:
    """The day it is in the district."""
    return timezone.now().astimezone(ZoneInfo(update.district.time_zone)).date()


def _judge(row: CheckedRow, record: Record | None, found: Findings) -> None:
    """Reject, stage or pass over one row whose problems are all known."""
    found.problems += row.problems
    if row.rejected:
        found.rejected.append(staging.settled(row.line, Outcome.REJECTED))
    elif record is None:
        found.staged.append(staging.adding(row.line, row.values))
    else:
        new = differences(record, row.values)
        if new:
            found.staged.append(staging.changing(row.line, record, new))
        else:
            found.unchanged += 1


def _place(update: Update) -> Place | None:
    last = update.batch_set.order_by("-end_line").first()
    return Place(byte=last.end_byte, line=last.end_line) if last else None


def _commit(update: Update, run: str, found: Findings, rows: int, end: Place) -> None:
    counted = Update.objects.values_list("problem_counts", flat=True).get(pk=update.pk)
    states.progress(
        update.pk,
        State.CHECKING,
        run,
        read=F("read") + rows,
        staged=F("staged") + len(found.staged),
        rejected=F("rejected") + len(found.rejected),
        unchanged=F("unchanged") + found.unchanged,
        problem_counts=problems.counts(found.problems, counted),
    )
    staging.stage(update.pk, [*found.staged, *found.rejected])
    problems.keep(update.pk, found.problems, counted)
    Batch.objects.create(
        update=update,
        end_byte=end.byte,
        end_line=end.line,
        students=found.students.tobytes(),
        lines=found.lines.tobytes(),
    )
