"""Check one byte range of a student file: what differs is staged, what is wrong is rejected.

Both checking processes use this. Each batch commits together with the position at which the next
one begins, so a check that was interrupted resumes there.
"""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import compress, count

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from rollbook.districts.local_dates import local_date
from rollbook.districts.models import School
from rollbook.studentfile.file_validator import validate_rows
from rollbook.studentfile.problems.problem import Problem
from rollbook.studentfile.problems.tally import ProblemTally
from rollbook.studentfile.reading import reader
from rollbook.studentfile.reading.header import Header
from rollbook.studentfile.reading.reader import FilePosition, RawRow, RecordBatch, parse_rows
from rollbook.studentfile.row_validator import RowValidator, ValidatedRow, missing_required_values
from rollbook.students import fingerprints, matching, snapshots
from rollbook.students.diff import diff
from rollbook.students.fingerprints import (
    NO_STUDENT,
    ConfirmedRow,
    FingerprintIndex,
    RowFingerprinter,
)
from rollbook.students.matching import StudentMatcher
from rollbook.students.snapshots import StudentSnapshot
from rollbook.students.writer import member_ids_by_email
from rollbook.updates import problem_store, transitions
from rollbook.updates.checking import staged_rows
from rollbook.updates.checking.byte_ranges import ByteRange
from rollbook.updates.checking.staged_rows import StagedRowTuple
from rollbook.updates.models import CheckedRange, UpdateJob
from rollbook.updates.receiving import files
from rollbook.updates.state_machine import Mode, State

MIN_BATCH_RECORDS, MAX_BATCH_RECORDS = 4000, 20_000
"""Records of a batch: as many as MAX_BATCH_RECORDS while nearly all are already known, otherwise MIN_BATCH_RECORDS."""


def _numbers() -> "array[int]":
    return array("q")


@dataclass(slots=True)
class RangeResult:
    """What checking one batch of records resulted in.

    ``tally`` counts the rows that were validated, ``known`` those that were not because their
    fingerprint is known. ``students`` and ``lines`` are parallel: the student each row means, where
    that is known, and the row's line.
    """

    staged: list[StagedRowTuple] = field(default_factory=list)
    rejected: list[StagedRowTuple] = field(default_factory=list)
    unchanged: int = 0
    known: int = 0
    tally: ProblemTally = field(default_factory=ProblemTally)
    accepted: list[ConfirmedRow] = field(default_factory=list)
    students: "array[int]" = field(default_factory=_numbers)
    lines: "array[int]" = field(default_factory=_numbers)


class RangeWorker:
    """Checks byte ranges in the second process, for as long as the run holds the update."""

    def __init__(self, update_id: int, run: str, known: FingerprintIndex) -> None:
        self._update = UpdateJob.objects.select_related("district").get(pk=update_id)
        self._run = run
        self._rules = RowChecker(self._update, Header.parse(self._update.header)[0])
        self._rules.known = known

    def check(self, stretch: ByteRange) -> None:
        """Check one byte range. Raises states.Fenced."""
        for _ in check_byte_range(stretch, self._update, self._run, self._rules):
            pass


def check_byte_range(
    stretch: ByteRange, update: UpdateJob, run: str, rules: "RowChecker"
) -> Iterator[None]:
    """Check the rows of one byte range, one batch a step. Raises states.Fenced."""
    for batch in reader.read_records(
        files.path_of(update.spool_name),
        encoding=update.detected_encoding,
        header=rules.header,
        start=stretch.start,
        stop=stretch.stop,
        size=MAX_BATCH_RECORDS,
    ):
        for part in rules.slices(batch):
            result = rules.check_slice(part)
            with transaction.atomic():
                _commit(update, run, result, part.records.end)
            yield


@dataclass(frozen=True, slots=True)
class RecordSlice:
    """Records, their digests, and the student whose last record had the same one, or NOBODY."""

    records: RecordBatch
    digests: "array[int]"
    students: "array[int]"


class RowChecker:
    """Checks rows against the district's students, schools and staff, and the update's mode."""

    def __init__(self, update: UpdateJob, header: Header) -> None:
        self._district_id = update.district_id
        self._may_add = update.mode == Mode.ADD
        self.header = header
        self._checker = RowValidator(header, local_date(update.district, timezone.now()))
        self._digests = RowFingerprinter(update.district_id, header.names)
        self._with_links = not header.known.isdisjoint({"GROUPS", "STAFF"})
        schools = School.objects.filter(district_id=update.district_id)
        self._schools = set(schools.values_list("organization_id", flat=True))

    @cached_property
    def known(self) -> FingerprintIndex:
        """The district's students as they were when the check began."""
        return FingerprintIndex.load(self._district_id)

    def validate(self, rows: Sequence[RawRow]) -> list[ValidatedRow]:
        """Return each row's clean values and problems, by the rules of the file alone."""
        return list(validate_rows(self._checker, rows))

    def slices(self, batch: RecordBatch) -> Iterator[RecordSlice]:
        """Look up whose records these are; yield one slice if most are known, else several."""
        digests = self._digests.compute(batch.records)
        students = self.known.lookup(digests)
        if students.count(NO_STUDENT) <= MIN_BATCH_RECORDS:
            yield RecordSlice(batch, digests, students)
            return
        for first, part in zip(count(0, MIN_BATCH_RECORDS), batch.parts(MIN_BATCH_RECORDS)):
            last = first + MIN_BATCH_RECORDS
            yield RecordSlice(part, digests[first:last], students[first:last])

    def check_slice(self, part: RecordSlice) -> RangeResult:
        """Check some records. Those whose digest is known are unchanged and are not validated."""
        sent, lines = part.records.records, part.records.lines
        known = array("q", compress(part.students, part.students))
        result = RangeResult(students=known, lines=array("q", compress(lines, part.students)))
        result.unchanged = result.known = len(known)
        unknown = [at for at, student in enumerate(part.students) if student == NO_STUDENT]
        if unknown:
            lines = [lines[at] for at in unknown]
            rows = parse_rows([sent[at] for at in unknown], lines, self.header)
            unknown_digests = (part.digests[at] for at in unknown)
            self._check_changed_rows(rows, dict(zip(lines, unknown_digests, strict=True)), result)
        return result

    def _check_changed_rows(
        self, rows: list[RawRow], digests: Mapping[int, int], result: RangeResult
    ) -> None:
        """Check rows that differ from those that set their students last; ``digests`` by line."""
        checked = self.validate(rows)
        self._check_references(checked)
        candidates = StudentMatcher(self._district_id, [row.values for row in checked])
        matches = [candidates.match(row.line, row.values) for row in checked]
        if self._with_links:
            matched = {match.record.pk: match.record for match in matches if match.record}
            snapshots.add_links(matched.values())
        unmatched_rows = []
        for row, match in zip(checked, matches, strict=True):
            if match.problem:
                row.problems.append(match.problem)
            if match.record:
                result.students.append(match.record.pk)
                result.lines.append(row.line)
            elif not row.rejected:
                unmatched_rows.append(row)
                continue
            _classify(row, match.record, digests[row.line], result)
        self._check_unmatched_rows(unmatched_rows, digests, result)

    def _check_references(self, checked: list[ValidatedRow]) -> None:
        """Report schools and staff that the district doesn't have, and remove them from the rows.

        Those of another district are unknown like any other.
        """
        lists = (row.values.get("STAFF", "").split("&") for row in checked)
        emails = {email for listed in lists for email in listed if email}
        members = member_ids_by_email(self._district_id, emails) if emails else {}
        for row in checked:
            school = row.values.get("SCHOOL_ID")
            if school is not None and school not in self._schools:
                row.problems.append(Problem("unknown_school", row.line, "SCHOOL_ID", school))
                del row.values["SCHOOL_ID"]
            if row.values.get("STAFF"):
                listed = row.values["STAFF"].split("&")
                unknown = [email for email in listed if email not in members]
                row.problems += [
                    Problem("unknown_staff", row.line, "STAFF", email) for email in unknown
                ]
                row.values["STAFF"] = "&".join(email for email in listed if email in members)

    def _check_unmatched_rows(
        self, rows: list[ValidatedRow], digests: Mapping[int, int], result: RangeResult
    ) -> None:
        """Check rows that match no enrolled student: new students where the mode allows it."""
        if self._may_add:
            for row in rows:
                row.problems += missing_required_values(row.values, row.line)
                _classify(row, None, digests[row.line], result)
            return
        ids = {row.values["STUDENT_ID"] for row in rows if row.values.get("STUDENT_ID")}
        zeros = matching.find_ids_ignoring_leading_zeros(self._district_id, ids) if ids else {}
        for row in rows:
            row.problems.append(matching.unknown_student(row.line, row.values, zeros))
            _classify(row, None, digests[row.line], result)


def _classify(
    row: ValidatedRow, record: StudentSnapshot | None, digest: int, result: RangeResult
) -> None:
    """Reject, stage or pass one row whose problems are all known.

    The digest of a row with a warning is not stored: the next update has to warn again, and may
    find the cause gone.
    """
    result.tally.add_row(row)
    kept_digest = None if row.problems else digest
    if row.rejected:
        result.rejected.append(staged_rows.rejected_row(row.line, record, row.values))
    elif record is None:
        result.staged.append(staged_rows.new_student_row(row.line, row.values, kept_digest))
    elif new := diff(record, row.values):
        result.staged.append(staged_rows.change_row(row.line, record, new, kept_digest))
    else:
        result.unchanged += 1
        if kept_digest is not None:
            result.accepted.append(ConfirmedRow(record.pk, record.version, kept_digest))


def _commit(update: UpdateJob, run: str, result: RangeResult, end: FilePosition) -> None:
    """Store the result of a batch. The lock on the update serializes both processes."""
    locked = UpdateJob.objects.select_for_update(no_key=True).filter(pk=update.pk)
    counted = locked.values_list("problem_counts", flat=True).get()
    found = result.tally.problems
    transitions.record_progress(
        update.pk,
        State.CHECKING,
        run,
        rows_read=F("rows_read") + result.known + result.tally.rows,
        rows_staged=F("rows_staged") + len(result.staged),
        rows_rejected=F("rows_rejected") + len(result.rejected),
        rows_unchanged=F("rows_unchanged") + result.unchanged,
        problem_counts=problem_store.counts(found, counted),
    )
    staged_rows.stage(update.pk, [*result.staged, *result.rejected])
    fingerprints.confirm(result.accepted)
    problem_store.save_problems(update.pk, found, counted)
    CheckedRange.objects.create(
        update=update,
        end_byte=end.byte,
        end_line=end.line,
        student_ids=result.students.tobytes(),
        line_numbers=result.lines.tobytes(),
    )
