"""Print the report of an update: what it did, its plan and its problems."""

from collections.abc import Iterator

from django.utils import timezone

from rollbook.cli import output
from rollbook.cli.audit_log import record
from rollbook.cli.terminal import Toned, paint
from rollbook.students import recognition
from rollbook.text import format_number, format_timestamp, join_words, name_updates
from rollbook.updates.models import UpdateJob
from rollbook.updates.planning.plan_status import PlanStatus
from rollbook.updates.planning.reason_words import plan_sentence, reason_sentence
from rollbook.updates.reporting import undo_words
from rollbook.updates.reporting.remarks import named_columns
from rollbook.updates.reporting.report import Report, problems, report
from rollbook.updates.reporting.state_words import badge_words
from rollbook.updates.reporting.status_json import status_context, to_json
from rollbook.updates.reporting.status_line import verdict
from rollbook.updates.state_machine import State


def toned_state(job: UpdateJob) -> Toned:
    """Return the state of an update for a table."""
    words = badge_words(job)
    return Toned.of(words.word, words.tone, words.sign)


def print_report(job: UpdateJob, *, as_json: bool, every: bool = False) -> None:
    """Print the report of an update, and record whom its problems name.

    Args:
        job: The update.
        as_json: Whether to print JSON.
        every: Whether each problem has a line of its own.
    """
    _record(job)
    if as_json:
        output.print_json(_report_to_json(job), problems(job))
    else:
        print("\n".join(report_lines(job, every=every)))


def _record(job: UpdateJob) -> None:
    texts = (problem.message for problem in problems(job))
    shown = recognition.students_named(job.district_id, texts)
    record("update show", job.district, f"update {job.number}", shown)


def _report_to_json(job: UpdateJob) -> dict[str, object]:
    job_report = report(job)
    context = status_context(job.district, job_report, timezone.now())
    return {
        **to_json(job_report, verdict(job_report, context), context),
        "mends": job_report.corrects,
        "mended_by": job_report.corrected_by,
        "counts": job.problem_counts,
    }


def report_lines(job: UpdateJob, *, every: bool = False) -> Iterator[str]:
    """Yield the lines of an update's report; with each problem on its own, if asked."""
    job_report = report(job)
    context = status_context(job.district, job_report, timezone.now())
    yield paint(str(verdict(job_report, context)), badge_words(job).tone)
    yield ""
    yield from output.name_value_lines(_report_values(job_report))
    if job_report.plan and job_report.plan.planned_at:
        yield ""
        yield from _plan_lines(job_report.plan, job_report)
    if job.problem_counts and not _is_in_first_line(job_report):
        yield ""
        yield from output.problem_totals(job.problem_counts)
        yield ""
        yield from output.problem_lines(problems(job), job.problem_counts, every=every)
    if job_report.rejected and not (job.file_removed_at or job.details_hidden_at):
        yield ""
        yield "To get the rejected rows as a file that you can fix and upload again:"
        arguments = f"{job_report.slug} {job_report.number} --rejected"
        yield f"  rollbook update show {arguments} > rejected.csv"


def _plan_lines(plan: PlanStatus, job_report: Report) -> Iterator[str]:
    """Yield the lines about a plan: what it would do, and which limits it exceeds."""
    time_zone = job_report.time_zone
    sentence = plan_sentence if job_report.undoes is None else undo_words.plan_sentence
    yield f"plan {plan.digest}: {sentence(plan.summary.district)}"
    for reason in plan.reasons:
        yield f"  {reason_sentence(reason)}"
    if job_report.is_waiting and plan.decided_at is None:
        discard_at = format_timestamp(plan.discard_at, time_zone)
        arguments = f"{job_report.slug} {job_report.number} --plan {plan.digest}"
        yield f"If nobody decides, it is discarded at {discard_at}. To decide, run one of"
        yield f"  rollbook update approve {arguments}"
        yield f"  rollbook update discard {arguments}"
    if plan.decided_at is not None:
        who = plan.decided_by.email if plan.decided_by else "the operator"
        decision = "discarded" if job_report.state is State.DISCARDED else "approved"
        note = f": {plan.decision_note}" if plan.decision_note else ""
        yield f"{decision} by {who}, {format_timestamp(plan.decided_at, time_zone)}{note}"
    if plan.left_out_schools:
        yield f"left out: {join_words(plan.left_out_schools)}"


def _is_in_first_line(job_report: Report) -> bool:
    """Return whether the first line already contains the only problem."""
    problem_count = sum(group.count for group in job_report.groups)
    return job_report.refusal is not None and problem_count == 1


def _report_values(job_report: Report) -> Iterator[tuple[str, str]]:
    time_zone = job_report.time_zone
    undone = job_report.undoes
    if undone is None:
        yield "file", _file_description(job_report)
    else:
        yield "undoes", name_updates([undone])
        yield "students", format_number(job_report.rows)
    yield "SHA-256", job_report.file_digest
    yield "ignored columns", named_columns(job_report)
    yield "warnings", format_number(job_report.warnings) if job_report.warnings else ""
    yield "mode", job_report.mode.value if undone is None else ""
    if job_report.absences:
        yield "missing students", format_number(job_report.absences.missing)
    yield "dry run", "yes" if job_report.is_check else ""
    yield "note", job_report.note
    if job_report.corrects:
        yield "corrects", name_updates([job_report.corrects])
    if job_report.split_from:
        yield "split from", name_updates([job_report.split_from])
    if job_report.split_into:
        yield "split into", name_updates(job_report.split_into)
    if job_report.corrected_by:
        yield "corrected by", name_updates(job_report.corrected_by)
    if job_report.undone_by is not None:
        yield "undone by", name_updates([job_report.undone_by])
    yield "started by", f"{_starter(job_report)}, with {job_report.source}"
    yield "received", format_timestamp(job_report.received_at, time_zone)
    yield "started", format_timestamp(job_report.started_at, time_zone)
    yield "ended", format_timestamp(job_report.ended_at, time_zone)
    yield "reference", job_report.reference


def _file_description(job_report: Report) -> str:
    parts = [job_report.file_name, f"{job_report.file_size:,} bytes"]
    if job_report.rows:
        parts.append(f"{job_report.rows:,} rows")
    return ", ".join([*parts, f"read as {job_report.encoding}"])


def _starter(job_report: Report) -> str:
    if job_report.starter:
        return f"{job_report.starter.name} ({job_report.starter.email})"
    return "the operator of the server"
