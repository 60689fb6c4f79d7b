"""Find where updates and uploaded files name a student.

Files can be large, so they are read before the transaction that erases the student, and it checks
that no update was created since.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

from django.db.models import Max, Q, QuerySet

from rollbook.studentfile.reading.header import Header
from rollbook.studentfile.reading.reader import RawRow
from rollbook.studentfile.reading.record_splitter import RecordTooLongError
from rollbook.studentfile.reading.row_parser import parse_every_row
from rollbook.students.models import Change, Student
from rollbook.students.name_keys import fold_loosely
from rollbook.updates.checking.records import FileReader
from rollbook.updates.leftovers import KeyDigests
from rollbook.updates.models import Draft, Problem, StagedRow, StudentFile, UpdateJob
from rollbook.updates.problem_store import to_problem
from rollbook.updates.receiving import files as spool
from rollbook.updates.receiving.files import FileMissing

READ_BYTES = 1 << 20


@dataclass(frozen=True)
class Identity:
    """What names a student: all IDs and usernames that the student has had, and the name."""

    student: int
    student_ids: frozenset[str]
    usernames: frozenset[str]
    names: tuple[str, str]
    loose_key: int

    @property
    def texts(self) -> list[str]:
        """The IDs and usernames, which problems quote."""
        return sorted(self.student_ids | self.usernames)


@dataclass
class Mentions:
    """Where a student is named.

    Attributes:
        newest_update: The primary key of the district's newest update when this was read.
        rows: Primary keys of staged rows.
        problems: Primary keys of the problems of these rows.
        quotes: Primary keys of other problems, whose texts quote an ID or a username.
        updates: Primary keys of updates whose stored file contains the student, or can't be read.
        drafts: The same for drafts.
    """

    newest_update: int | None
    rows: set[int] = field(default_factory=set)
    problems: set[int] = field(default_factory=set)
    quotes: set[int] = field(default_factory=set)
    updates: list[int] = field(default_factory=list)
    drafts: list[UUID] = field(default_factory=list)


def newest_update(district: int) -> int | None:
    """Return the primary key of the district's newest update."""
    newest: int | None = UpdateJob.objects.filter(district=district).aggregate(key=Max("pk"))["key"]
    return newest


def find(student: Student) -> Mentions:
    """Find where a student is named in updates, problems, stored files and drafts."""
    district, identity = student.district_id, _identity(student)
    mentions = Mentions(newest_update(district))
    for update in UpdateJob.objects.filter(district=district).order_by("number").iterator():
        lines: set[int] | None = set()
        if update.file_removed_at is None:
            lines = _lines(update, identity)
            if lines is None or lines:
                mentions.updates.append(update.pk)
        if update.details_removed_at is None:
            _add_details(mentions, update, identity, lines or set())
    for draft in Draft.objects.filter(district=district, update=None):
        found = _lines(draft, identity)
        if found is None or found:
            mentions.drafts.append(draft.pk)
    return mentions


def _identity(student: Student) -> Identity:
    ids, usernames = {student.student_id or ""}, {student.username}
    changes = Change.objects.filter(student=student, field__in=("STUDENT_ID", "USERNAME"))
    for column, old, new in changes.values_list("field", "old", "new"):
        (ids if column == "STUDENT_ID" else usernames).update((old, new))
    names = (fold_loosely(student.first_name), fold_loosely(student.last_name))
    return Identity(
        student.pk,
        frozenset(ids - {""}),
        frozenset(usernames - {""}),
        names,
        student.loose_key,
    )


def _add_details(
    mentions: Mentions, update: UpdateJob, identity: Identity, lines: set[int]
) -> None:
    """Add the rows and problems of an update. Each condition has an index of its own."""
    rows: dict[int, int] = {}
    student_ids, usernames = set(identity.student_ids), set(identity.usernames)
    if digests := KeyDigests.of_district(update.district_id):  # once the update has ended
        student_ids.update(map(digests.compute, identity.student_ids))
        usernames.update(map(digests.compute, identity.usernames))
    for condition in (
        Q(student=identity.student),
        Q(claims_student_id__in=student_ids),
        Q(claims_username__in=usernames),
        Q(claims_loose_key=identity.loose_key, claims_student_id=None),
        Q(line__in=lines),
    ):
        own = StagedRow.objects.filter(condition, update=update)
        rows.update(own.values_list("pk", "line"))
    own_lines = {*rows.values(), *lines}
    problems = Problem.objects.filter(update=update)
    on_lines = set(problems.filter(line__in=own_lines).values_list("pk", flat=True))
    mentions.rows.update(rows)
    mentions.problems |= on_lines
    mentions.quotes |= set(_quotes(problems, identity)) - on_lines


def _quotes(problems: "QuerySet[Problem]", identity: Identity) -> Iterator[int]:
    """Yield the keys of problems whose texts contain an ID or username as a whole word."""
    words = "|".join(map(re.escape, identity.texts))
    pattern = re.compile(f"(^|[^0-9A-Za-z])({words})([^0-9A-Za-z]|$)")
    for stored in problems.iterator():
        problem = to_problem(stored)
        if pattern.search(problem.found) or pattern.search(problem.hint):
            yield stored.pk


def _lines(file: StudentFile, identity: Identity) -> set[int] | None:
    """Return the lines of a stored file that name the student; None if it can't be read."""
    try:
        spool.ensure_available(file.spool_name, file.spool_digest or file.file_digest)
    except FileMissing:
        return None
    if not file.header:
        return _lines_of_unread_file(file, identity)
    header = file.parse_header()
    try:
        return {row.line for row in _rows(file, header) if _names(row, header, identity)}
    except (ValueError, RecordTooLongError):
        return _lines_of_unread_file(file, identity)


def _rows(file: StudentFile, header: Header) -> Iterator[RawRow]:
    for batch in FileReader(file, header).read():
        yield from parse_every_row(batch.records, batch.lines, header)


def _names(row: RawRow, header: Header, identity: Identity) -> bool:
    """Return whether a row has an ID or username of the student, or else the name."""
    cells: dict[str, str] = {}
    reading = header.reading
    if reading and len(row.cells) == len(header.names):
        texts = map(str.strip, reading.row(row.cells))
        cells.update(zip((each.name for each in reading.columns), texts, strict=True))
    for column, cell in zip(header.columns, row.cells, strict=False):
        if column:
            cells.setdefault(column.name, cell.strip())
    if cells.get("STUDENT_ID") in identity.student_ids:
        return True
    if cells.get("USERNAME", "").casefold() in identity.usernames:
        return True
    if cells.get("STUDENT_ID") or cells.get("USERNAME"):
        return False
    names = tuple(fold_loosely(cells.get(name, "")) for name in ("FIRST_NAME", "LAST_NAME"))
    return names == identity.names


def _lines_of_unread_file(file: StudentFile, identity: Identity) -> set[int] | None:
    """Return None if a file that wasn't accepted contains an ID or username anywhere."""
    wanted = [text.encode() for text in identity.texts]
    overlap = max(map(len, wanted), default=1) - 1
    tail = b""
    with spool.open_stored(file.spool_name).open("rb") as content:
        while chunk := content.read(READ_BYTES):
            window = tail + chunk
            if any(text in window for text in wanted):
                return None
            tail = window[len(window) - overlap :]
    return set()
