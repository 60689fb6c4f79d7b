"""Runs ``rollbook file check`` against a roster export: checks on a database made for it."""

from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from django.utils import timezone

from rollbook.cli import output
from rollbook.cli.actions.limits import read_document
from rollbook.cli.actions.school import read_schools
from rollbook.cli.errors import FAILED, OK, SOME_REJECTED, CommandError
from rollbook.cli.mapping_file import read_mapping
from rollbook.cli.progress_bar import ProgressBar
from rollbook.operations.twin import checking
from rollbook.operations.twin.roster import UnusableExport
from rollbook.text import count_of, format_number
from rollbook.updates.models import UpdateJob
from rollbook.updates.planning.plan_status import PlanStatus
from rollbook.updates.planning.reason_words import plan_sentence, reason_sentence
from rollbook.updates.planning.summary import Counts, Summary
from rollbook.updates.reporting.plan_review import Samples, find_samples
from rollbook.updates.reporting.report import Report, problems, report
from rollbook.updates.reporting.rows import FieldChange, RowView
from rollbook.updates.reporting.state_words import CHECKING
from rollbook.updates.reporting.status_json import status_context, to_json
from rollbook.updates.reporting.status_line import verdict
from rollbook.updates.state_machine import Mode, State

_FIGURES = (
    "active",
    "changed",
    "added",
    "moved_in",
    "moved_out",
    "deactivated",
    "reactivated",
    "rejected",
)
_ABOUT_A_SERVER = frozenset(
    {
        "district",
        "left_out",
        "link",
        "message",
        "not_processed",
        "note",
        "progressed_at",
        "reference",
        "seconds_left",
        "split_from",
        "split_into",
        "started_by",
        "undoes",
        "undone_by",
        "update",
        "waiting_for",
    }
)
"""Keys of an update's status that say nothing about a file that no server has received."""

NOT_KNOWN = (
    "Not known here: passwords, staff without students, the district's own grade codes, and the "
    "files of other nights."
)


def check(arguments: Namespace, encoding: str) -> int:
    """Check the file in the database that is set up, and print its plan.

    Args:
        arguments: The arguments of the command.
        encoding: The encoding in the district's settings.
    """
    wanted = checking.Wanted(
        file=arguments.file,
        export=arguments.against,
        schools=_schools(arguments.schools),
        mode=Mode(arguments.mode or Mode.UPDATE),
        limits=read_document(arguments.limits) if arguments.limits else None,
        encoding=encoding,
        date_order=arguments.date_order,
        mapping=read_mapping(arguments.map) if arguments.map else None,
    )
    with ProgressBar() as progress:
        try:
            update = checking.check(wanted, lambda update: _show(progress, update))
        except UnusableExport as error:
            raise _unusable(wanted.export, error) from None
    if arguments.json:
        output.print_json(_to_json(wanted.file, update), problems(update))
    else:
        print("\n".join(text_lines(wanted.file, update, every=arguments.all)))
    if update.state != State.CHECKED:
        return FAILED
    return SOME_REJECTED if update.rows_rejected else OK


def text_lines(path: Path, update: UpdateJob, *, every: bool = False) -> Iterator[str]:
    """Yield the lines about a plan: its figures, problems, limits, schools and first changes."""
    job_report = report(update)
    yield _verdict(path, job_report)
    if update.problem_counts and not job_report.refusal:
        yield ""
        yield from output.problem_totals(update.problem_counts)
        yield ""
        yield from output.problem_lines(problems(update), update.problem_counts, every=every)
    if plan := job_report.plan:
        yield from _plan_lines(plan, find_samples(update))
    yield ""
    yield NOT_KNOWN


def _plan_lines(plan: PlanStatus, samples: Samples) -> Iterator[str]:
    if plan.reasons and plan.summary.changes_anything:
        yield ""
        yield "An update with this file would be held for a person:"
        yield from (f"  {reason_sentence(reason)}" for reason in plan.reasons)
    yield ""
    yield from output.table(("school", *_FIGURES), list(_school_rows(plan.summary)))
    if samples.rows:
        yield ""
        yield "The first changes, without confidential values:"
        yield from _sample_lines(samples)


def _school_rows(summary: Summary) -> Iterator[tuple[str, ...]]:
    schools: Sequence[tuple[str, Counts]] = [*sorted(summary.schools.items())]
    for name, counts in [("all", summary.district), *schools]:
        yield name, *(format_number(getattr(counts, figure)) for figure in _FIGURES)


def _sample_lines(samples: Samples) -> Iterator[str]:
    for found in samples.columns.values():
        for sample in found:
            yield f"  line {sample.row.number:,}{_student(sample.row)}: {_change(sample.change)}"
    for row in samples.added:
        yield f"  line {row.number:,}{_student(row)}: added"


def _student(row: RowView) -> str:
    return f", {row.student.name} ({row.student.student_id})" if row.student else ""


def _change(change: FieldChange) -> str:
    if change.is_hidden:
        return f"another {change.column}"
    return f'{change.column} "{change.old}" would become "{change.new}"'


def _verdict(path: Path, job_report: Report) -> str:
    """Return the first line: a word for scripts, and what the file would do."""
    if job_report.refusal:
        refusal = job_report.refusal
        return f"REFUSED {path}: {refusal.code}: {refusal.located_message}"
    return f"{_word(job_report)} {path}: {_what(job_report)}"


def _word(job_report: Report) -> str:
    plan = job_report.plan
    if plan and plan.reasons and plan.summary.changes_anything:
        return "HELD"
    return "WITH ERRORS" if job_report.rejected else "OK"


def _what(job_report: Report) -> str:
    does = plan_sentence(job_report.plan.summary.district) if job_report.plan else "nothing"
    return f"{count_of(job_report.rows, 'row')}: {does}"


def _to_json(path: Path, update: UpdateJob) -> dict[str, object]:
    job_report = report(update)
    context = status_context(update.district, job_report, timezone.now())
    status = to_json(job_report, verdict(job_report, context), context)
    about_file = {key: value for key, value in status.items() if key not in _ABOUT_A_SERVER}
    schools: Mapping[str, Counts] = job_report.plan.summary.schools if job_report.plan else {}
    return {
        **about_file,
        "verdict": _verdict(path, job_report).partition(f" {path}:")[0],
        "message": _verdict(path, job_report),
        "counts": update.problem_counts,
        "schools": {name: counts.as_json() for name, counts in schools.items()},
        "first_changes": [line.strip() for line in _sample_lines(find_samples(update))],
        "not_known": NOT_KNOWN,
    }


def _schools(path: Path | None) -> Mapping[str, str]:
    if path is None:
        return {}
    file = read_schools(path)
    if file.problems:
        line, text = file.problems[0]
        raise CommandError("bad_schools", f"{path}, line {line:,}: {text}")
    return file.names


def _show(progress: ProgressBar, update: UpdateJob) -> None:
    if not update.rows:
        return
    if update.is_check:
        progress.show(CHECKING.activity, update.rows_read, update.rows)
    elif update.state == State.CHECKING:
        progress.show("reading the roster", update.rows_read, update.rows)
    else:
        progress.show("adding the roster", update.rows_added, update.rows, "students")


def _unusable(export: Path | None, error: UnusableExport) -> CommandError:
    what = "it isn't a student file"
    if error.rejected:
        what = f"{count_of(error.rejected, 'row')} can't be used"
    first = f"; {error.problem.located_message}" if error.problem else ""
    return CommandError(
        "bad_export",
        f"{export}: {what}{first}; write it with `rollbook student export`",
    )
