"""Build the report of an update, which the upload commands, emails, pages and the CLI show."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache

from django.db.models import F, IntegerField, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from rollbook.accounts.models import Member
from rollbook.db.compiled_query import CompiledQuery, Parameter
from rollbook.districts.models import District
from rollbook.studentfile.problems.feed_warnings import FEED_WARNINGS
from rollbook.studentfile.problems.problem import (
    PROBLEM_CODES,
    Problem,
    Severity,
    most_severe,
    sort_codes,
)
from rollbook.studentfile.problems.tally import FIRST_LINES_SHOWN, ProblemGroup
from rollbook.studentfile.reading.header import Header
from rollbook.updates.absences.figures import Figures
from rollbook.updates.models import UpdateJob
from rollbook.updates.planning.plan_status import PlanStatus
from rollbook.updates.problem_store import count_warnings, to_problem
from rollbook.updates.state_machine import (
    IN_PROGRESS,
    IN_QUEUE,
    PLAN_WAITING,
    UNFINISHED,
    Mode,
    State,
)

PEOPLE = ("district", "member", "decided_by", "mapping")
RELATED = (*PEOPLE, "corrects", "replaced_by", "split_from", "undoes")
"""The foreign keys that a report follows.

Few updates have another one, and to select three more with all of their columns takes longer than
to read one when it is needed. So one update is found with ``PEOPLE``, and lists with all.
"""

MAX_LINES_SHOWN = 1000

_DISTRICT = Parameter("district", IntegerField())
_NUMBER = Parameter("number", IntegerField())
_UPDATE = Parameter("update", IntegerField())

_NAMING = CompiledQuery(
    lambda: UpdateJob.objects.filter(
        Q(corrects=_UPDATE) | Q(split_from=_UPDATE) | Q(undoes=_UPDATE, state=State.COMPLETED)
    ).values_list("number", "corrects", "split_from", "undoes")
)
"""The updates that name an update."""


def _select_current() -> QuerySet[UpdateJob]:
    """Return the query for the update in progress, or else the newest one."""
    updates = UpdateJob.objects.filter(district=_DISTRICT)
    proper = updates.filter(is_check=False)
    chosen = Coalesce(
        _newest(proper.filter(state__in=IN_PROGRESS)), _newest(proper), _newest(updates)
    )
    # In one statement: between two, the update in progress could end.
    return updates.filter(pk=chosen).select_related(*PEOPLE)


def _newest(updates: QuerySet[UpdateJob]) -> Subquery:
    return Subquery(updates.order_by("-number").values("pk")[:1])


_CURRENT = CompiledQuery(_select_current)
_NUMBERED = CompiledQuery(
    lambda: UpdateJob.objects.filter(district=_DISTRICT, number=_NUMBER).select_related(*PEOPLE)
)
_UNFINISHED = CompiledQuery(
    lambda: (
        UpdateJob.objects.filter(district=_DISTRICT, state__in=IN_QUEUE)
        .order_by("number")
        .values_list("number", "state")
    )
)

_WITH_HINTS = frozenset(definition.code for definition in FEED_WARNINGS)


@dataclass(frozen=True)
class Report:
    """The state and results of an update.

    Counts are rows, times are aware, and sizes are bytes. Values that are not known yet are None,
    0 or empty. ``warnings`` is a number of problems, and ``ignored`` has the names, as sent, of the
    columns that are not read. ``corrects`` is the number of the update whose exported rows this
    file contains; ``corrected_by`` has the numbers of the updates that contain exported rows of
    this one. ``deactivated`` are students whom the file doesn't name, so they aren't rows.
    ``mapping`` is the name of the column mapping through which the file is read. ``undoes`` is the
    number of the update whose changes this one sets back, and then rows are students and there is
    no file; ``undone_by`` is that of the update that has set back this one.
    """

    number: int
    district: str
    slug: str
    time_zone: str
    mode: Mode
    state: State
    source: str
    starter: Member | None
    file_name: str
    file_size: int
    file_digest: str
    encoding: str
    rows: int
    read: int
    staged: int
    updated: int
    added: int
    unchanged: int
    rejected: int
    received_at: datetime
    started_at: datetime | None
    applying_at: datetime | None
    progressed_at: datetime | None
    ended_at: datetime | None
    reference: str
    refusal: Problem | None
    groups: tuple[ProblemGroup, ...]
    warnings: int = 0
    ignored: tuple[str, ...] = ()
    corrects: int | None = None
    corrected_by: tuple[int, ...] = ()
    left_out: int = 0
    deactivated: int = 0
    absences: Figures | None = None
    plan: PlanStatus | None = None
    is_check: bool = False
    split_from: int | None = None
    split_into: tuple[int, ...] = ()
    note: str = ""
    mapping: str = ""
    mapping_version: int | None = None
    undoes: int | None = None
    undone_by: int | None = None

    @property
    def is_waiting(self) -> bool:
        """Return whether the plan waits for a person or for its time."""
        return self.state in PLAN_WAITING

    @property
    def ended(self) -> bool:
        """Return whether the update has ended."""
        return self.state not in UNFINISHED

    @property
    def took(self) -> timedelta | None:
        """Return how long the work took, without the time for which a plan has waited."""
        if self.ended_at is None:
            return None
        began = self.started_at or self.received_at
        if self.plan and self.plan.planned_at:
            applied = self.ended_at - (self.applying_at or self.ended_at)
            return self.plan.planned_at - began + applied
        return self.ended_at - began

    @property
    def changed(self) -> int:
        """Return the number of rows that changed or added a student."""
        return self.updated + self.added

    @property
    def not_processed(self) -> int:
        """Return the number of rows without an outcome; final once the update has ended."""
        settled = self.unchanged + self.rejected + self.left_out
        return self.rows - self.changed - settled

    @property
    def with_errors(self) -> bool:
        """Return whether any row was rejected."""
        return self.rejected > 0


def report(update: UpdateJob) -> Report:
    """Return the current report of an update."""
    key = update.pk
    others = sorted(_NAMING.rows(update=key))
    return replace(
        report_without_problems(update),
        refusal=_refusal(update),
        groups=tuple(_groups(update)),
        corrected_by=tuple(number for number, corrected, _, _ in others if corrected == key),
        split_into=tuple(number for number, _, split, _ in others if split == key),
        undone_by=next((number for number, _, _, undone in others if undone == key), None),
    )


def report_without_problems(update: UpdateJob) -> Report:
    """Return the report without problems and corrections.

    If RELATED is selected, it needs no database query; with PEOPLE, one for each other update that
    it names.
    """
    corrected = update.corrects
    return Report(
        number=update.number,
        district=update.district.name,
        slug=update.district.slug,
        time_zone=update.district.time_zone,
        mode=Mode(update.mode),
        state=State(update.state),
        source=update.source,
        starter=update.member,
        file_name=update.file_name,
        file_size=update.file_size,
        file_digest="" if update.undoes_id else update.file_digest,
        encoding=update.detected_encoding,
        rows=update.rows,
        read=update.rows_read,
        staged=update.rows_staged,
        updated=update.rows_updated,
        added=update.rows_added,
        unchanged=update.rows_unchanged,
        rejected=update.rows_rejected,
        left_out=update.rows_left_out,
        deactivated=update.rows_deactivated,
        absences=Figures.from_json(update.absences) if update.absences else None,
        received_at=update.received_at,
        started_at=update.started_at,
        applying_at=update.applying_at,
        progressed_at=update.progressed_at,
        ended_at=update.ended_at,
        reference=update.error_reference,
        refusal=None,
        groups=(),
        warnings=count_warnings(update.problem_counts),
        ignored=_ignored_columns(update),
        corrects=corrected.number if corrected else None,
        plan=PlanStatus.of(update),
        is_check=update.is_check,
        split_from=update.split_from.number if update.split_from else None,
        note=update.note,
        mapping=update.mapping.name if update.mapping else "",
        mapping_version=update.mapping.version if update.mapping else None,
        undoes=update.undoes.number if update.undoes else None,
    )


def current_update(district: District) -> UpdateJob | None:
    """Return the update in progress, or the newest one if none is; None if there are no updates.

    Dry runs are left out, unless there is nothing else.
    """
    return _CURRENT.first(district=district.pk)


def find(district: District, number: int) -> UpdateJob | None:
    """Return the district's update with this number, or None."""
    return _NUMBERED.first(district=district.pk, number=number)


def previous(update: UpdateJob) -> UpdateJob | None:
    """Return the district's last completed update of a file before this one, or None."""
    counts = ("rows", "rows_updated", "rows_added", "rows_rejected")
    return _completed_before(update).only("number", *counts).first()


def previous_of_feed(update: UpdateJob) -> UpdateJob | None:
    """Return the last completed update before this one of the same feed, or None.

    Files that were sent in the same way are a feed: by scripts, or by a person in the browser. One
    that corrects or undoes another is of no feed.
    """
    if update.corrects_id or update.undoes_id:
        return None
    return _completed_before(update).filter(source=update.source, corrects=None).first()


def _completed_before(update: UpdateJob) -> QuerySet[UpdateJob]:
    earlier = UpdateJob.objects.filter(
        district=update.district_id, number__lt=update.number, state=State.COMPLETED
    ).filter(undoes=None)
    return earlier.order_by("-number")


def applied_before(update: UpdateJob) -> UpdateJob | None:
    """Return the last update that applied the same file before, or None."""
    same = UpdateJob.objects.filter(
        district=update.district_id,
        number__lt=update.number,
        file_digest=update.file_digest,
        state=State.COMPLETED,
        rows_rejected__lt=F("rows"),
    )
    return same.order_by("-number").first()


def unfinished_numbers(district: District) -> tuple[list[int], list[int]]:
    """Return the numbers of the updates in progress and of those in the queue, oldest first."""
    states = list(_UNFINISHED.rows(district=district.pk))
    in_progress = [number for number, state in states if state in IN_PROGRESS]
    received = [number for number, state in states if state not in IN_PROGRESS]
    return in_progress, received


def waiting_numbers(district: District) -> list[int]:
    """Return the numbers of the updates that wait for another one, oldest first."""
    in_progress, received = unfinished_numbers(district)
    return received if in_progress else received[1:]


def problems(update: UpdateJob) -> Iterator[Problem]:
    """Yield all stored problems in file order."""
    for problem in update.problem_set.order_by("line", "pk").iterator():
        yield to_problem(problem)


def rejected_lines(
    update: UpdateJob, max_rows: int | None = MAX_LINES_SHOWN
) -> dict[str, list[int]]:
    """Return the lines of rejected rows by error code.

    Args:
        update: The update.
        max_rows: How many rejected rows to read, in file order; None means all.
    """
    errors = [code for code, kind in PROBLEM_CODES.items() if kind.severity is Severity.ERROR]
    rejected = update.stagedrow_set.rejected().order_by("line").values("line")[:max_rows]
    stored = update.problem_set.filter(line__in=rejected, code__in=errors).order_by("line")
    lines: dict[str, list[int]] = {}
    for code, line in stored.values_list("code", "line").distinct().iterator():
        lines.setdefault(code, []).append(line or 0)
    return lines


def _refusal(update: UpdateJob) -> Problem | None:
    """Return why the file was refused; only the code once retention has hidden the details."""
    if update.state != State.REFUSED:
        return None
    if update.details_hidden_at:
        return most_severe(map(Problem, update.problem_counts))
    return most_severe(problems(update))


def _groups(update: UpdateJob) -> Iterator[ProblemGroup]:
    """Yield the problems by code: errors before warnings, the most frequent first."""
    counts: dict[str, int] = update.problem_counts
    for code in sort_codes(counts):
        yield _group(update, code, counts[code])


def _group(update: UpdateJob, code: str, count: int) -> ProblemGroup:
    """Return the problems of one code, with the columns of the first ones of them."""
    if update.details_hidden_at:
        return ProblemGroup(code, count)
    stored = update.problem_set.filter(code=code).order_by("line", "pk")
    first: tuple[Problem, ...] = ()
    if code in _WITH_HINTS:
        first = tuple(map(to_problem, stored[:MAX_LINES_SHOWN]))
        places = [(problem.line, problem.column) for problem in first]
    else:
        places = list(stored.values_list("line", "column")[:MAX_LINES_SHOWN])
    lines = dict.fromkeys(line for line, _ in places if line)
    columns = dict.fromkeys(column for _, column in places if column)
    return ProblemGroup(code, count, tuple(lines)[:FIRST_LINES_SHOWN], first, tuple(columns))


def _ignored_columns(update: UpdateJob) -> tuple[str, ...]:
    """Return the names of ignored columns; none of a refused file, which may have no header."""
    if update.state == State.REFUSED:
        return ()
    if update.mapping_id:
        return tuple(dict.fromkeys(update.parse_header().ignored))
    return _ignored_names(tuple(update.header))


@lru_cache(maxsize=64)
def _ignored_names(names: tuple[str, ...]) -> tuple[str, ...]:
    header, _ = Header.parse(names)
    return tuple(dict.fromkeys(header.ignored))
