"""5. An update as people are told of it: one Report feeds answers, mails, pages and commands."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from rollbook.accounts.models import Member
from rollbook.districts.models import District
from rollbook.studentfile.problems.problem import (
    PROBLEM_CODES,
    Problem,
    Severity,
    most_severe,
    sort_codes,
)
from rollbook.studentfile.problems.tally import ProblemGroup
from rollbook.updates.models import UpdateJob
from rollbook.updates.problem_store import to_problem
from rollbook.updates.state_machine import IN_PROGRESS, UNFINISHED, Mode, State

RELATED = ("district", "member", "corrects")  # what a report of an update also reads
FIRST_LINES_SHOWN = 10
MAX_LINES_SHOWN = 1000


@dataclass(frozen=True)
class Report:
    """An update's facts. Counts are rows; times are aware; sizes are bytes; what is not known yet is None or 0.

    ``mends`` is the number of the update whose rows this file repeats, ``mended_by`` are those that repeat its own.
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
    corrects: int | None = None
    corrected_by: tuple[int, ...] = ()

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self.state not in UNFINISHED

    @property
    def changed(self) -> int:
        """Rows that changed a student."""
        return self.updated + self.added

    @property
    def not_processed(self) -> int:
        """Rows without an outcome; they are final once the update has ended."""
        return self.rows - self.updated - self.added - self.unchanged - self.rejected

    @property
    def with_errors(self) -> bool:
        """Whether any row was rejected."""
        return self.rejected > 0


def report(update: UpdateJob) -> Report:
    """The report of an update as it stands now."""
    return replace(
        report_without_problems(update),
        refusal=_refusal(update),
        groups=tuple(_groups(update)),
        corrected_by=tuple(
            update.updatejob_set.order_by("number").values_list("number", flat=True)
        ),
    )


def report_without_problems(update: UpdateJob) -> Report:
    """The same without problems and later updates, for which nothing is looked up: it is asked for again and again."""
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
        file_digest=update.file_digest,
        encoding=update.detected_encoding,
        rows=update.rows,
        read=update.rows_read,
        staged=update.rows_staged,
        updated=update.rows_updated,
        added=update.rows_added,
        unchanged=update.rows_unchanged,
        rejected=update.rows_rejected,
        received_at=update.received_at,
        started_at=update.started_at,
        applying_at=update.applying_at,
        progressed_at=update.progressed_at,
        ended_at=update.ended_at,
        reference=update.error_reference,
        refusal=None,
        groups=(),
        corrects=update.corrects.number if update.corrects else None,
    )


def current_update(district: District) -> UpdateJob | None:
    """The update a district means when it names none: the running one, else the one with the highest number."""
    numbers = (
        UpdateJob.objects.filter(district=district)
        .order_by("-number")
        .values_list("number", flat=True)
    )
    number = numbers.filter(state__in=IN_PROGRESS).first() or numbers.first()
    return find(district, number) if number else None


def find(district: District, number: int) -> UpdateJob | None:
    """The district's update with this number."""
    return (
        UpdateJob.objects.filter(district=district, number=number).select_related(*RELATED).first()
    )


def previous(update: UpdateJob) -> UpdateJob | None:
    """The last update of the district before this one that was completed."""
    earlier = UpdateJob.objects.filter(
        district=update.district_id, number__lt=update.number, state=State.COMPLETED
    )
    return earlier.order_by("-number").first()


def unfinished_numbers(district: District) -> tuple[list[int], list[int]]:
    """The numbers of the updates in work, and of those that nobody has begun, the oldest first."""
    found = (
        UpdateJob.objects.filter(district=district, state__in=UNFINISHED)
        .order_by("number")
        .values_list("number", "state")
    )
    in_work = [number for number, state in found if state in IN_PROGRESS]
    received = [number for number, state in found if state not in IN_PROGRESS]
    return in_work, received


def waiting_numbers(district: District) -> list[int]:
    """The numbers of the updates that wait for another one, the oldest first."""
    in_work, received = unfinished_numbers(district)
    return received if in_work else received[1:]


def problems(update: UpdateJob) -> Iterator[Problem]:
    """Every problem that was kept, in the order of the file."""
    for problem in update.problem_set.order_by("line", "pk").iterator():
        yield to_problem(problem)


def rejected_lines(update: UpdateJob, most: int | None = MAX_LINES_SHOWN) -> dict[str, list[int]]:
    """Code to the lines of the first ``most`` rejected rows (None: of every one)."""
    errors = [code for code, kind in PROBLEM_CODES.items() if kind.severity is Severity.ERROR]
    rejected = update.stagedrow_set.rejected().order_by("line").values("line")
    found = update.problem_set.filter(line__in=rejected[:most], code__in=errors).order_by("line")
    lines: dict[str, list[int]] = {}
    for code, line in found.values_list("code", "line").distinct().iterator():
        lines.setdefault(code, []).append(line or 0)
    return lines


def _refusal(update: UpdateJob) -> Problem | None:
    """Once the details are removed, the code alone is left of it."""
    if update.state != State.REFUSED:
        return None
    return most_severe(
        map(Problem, update.problem_counts) if update.details_hidden_at else problems(update)
    )


def _groups(update: UpdateJob) -> Iterator[ProblemGroup]:
    """Errors before warnings, the most frequent first."""
    counts: dict[str, int] = update.problem_counts
    for code in sort_codes(counts):
        yield ProblemGroup(code, counts[code], tuple(_first_lines(update, code)))


def _first_lines(update: UpdateJob, code: str) -> Iterator[int]:
    if not update.details_hidden_at:
        found = update.problem_set.filter(code=code, line__isnull=False).order_by("line")
        yield from filter(None, found.values_list("line", flat=True).distinct()[:FIRST_LINES_SHOWN])
