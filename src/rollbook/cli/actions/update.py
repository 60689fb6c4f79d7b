"""Run ``rollbook update``: show updates, and decide about their plans."""

import sys
from argparse import Namespace
from collections.abc import Iterator
from types import ModuleType

from django.utils import timezone

from rollbook.cli import output
from rollbook.cli.audit_log import record, record_with_confidential
from rollbook.cli.errors import OK, CommandError
from rollbook.cli.lookup import get_district
from rollbook.districts.models import District
from rollbook.districts.suspension import DistrictSuspended
from rollbook.students import recognition
from rollbook.text import format_number, format_timestamp, join_words, name_updates
from rollbook.updates.exports import changes, missing_students, rejected_rows, unprocessed_rows
from rollbook.updates.exports.original_rows import NotEnded, RemovedByRetention
from rollbook.updates.models import UpdateJob
from rollbook.updates.planning import decisions
from rollbook.updates.planning.decisions import Decider, NotDecided
from rollbook.updates.planning.plan_status import PlanStatus
from rollbook.updates.planning.reason_words import plan_sentence, reason_sentence
from rollbook.updates.receiving.files import FileMissing
from rollbook.updates.reporting.remarks import named_columns
from rollbook.updates.reporting.report import Report, current_update, find, problems, report
from rollbook.updates.reporting.state_words import words_of
from rollbook.updates.reporting.status_json import status_context, to_json
from rollbook.updates.reporting.status_line import verdict
from rollbook.updates.state_machine import State

_COUNTS = ("rows", "updated", "added", "unchanged", "rejected")
_HEADERS = ("number", "state", "mode", "received", *_COUNTS, "file")
_EXPORTS: dict[str, ModuleType] = {
    "rejected rows": rejected_rows,
    "rows not processed": unprocessed_rows,
    "changes": changes,
    "missing students": missing_students,
}


def list_updates(arguments: Namespace) -> int:
    """Print all updates of a district, newest first."""
    district = get_district(arguments.district)
    jobs = UpdateJob.objects.filter(district=district).order_by("-number")
    if arguments.json:
        print(output.to_json([_to_json(job) for job in jobs.iterator()]))
    elif jobs:
        rows = [_table_row(job, district) for job in jobs]
        print("\n".join(output.table(_HEADERS, rows)))
    else:
        print(f"{district.name} has not started an update yet.")
    return OK


def show(arguments: Namespace) -> int:
    """Print the report of an update, or one of its files."""
    district = get_district(arguments.district)
    job = _get_update(district, arguments.number)
    if arguments.file:
        _print_export(job, arguments.file)
        return OK
    record_report(job)
    if arguments.json:
        output.print_json(_report_to_json(job), problems(job))
    else:
        print("\n".join(report_lines(job)))
    return OK


def approve(arguments: Namespace) -> int:
    """Approve a plan, with or without some schools."""
    district, now = get_district(arguments.district), timezone.now()
    decider = Decider(None, note=arguments.note)
    without = arguments.without or []
    try:
        update = decisions.approve(
            district, arguments.number, arguments.plan, decider, now, without
        )
    except (NotDecided, DistrictSuspended) as error:
        raise _not_decided(error) from None
    left_out = f", without {join_words(sorted(without))}" if without else ""
    _print_decision(arguments, update, f"Approved the plan of update {update.number}{left_out}.")
    return OK


def discard(arguments: Namespace) -> int:
    """Discard a plan."""
    district, now = get_district(arguments.district), timezone.now()
    decider = Decider(None, note=arguments.note)
    try:
        update = decisions.discard(district, arguments.number, arguments.plan, decider, now)
    except (NotDecided, DistrictSuspended) as error:
        raise _not_decided(error) from None
    _print_decision(arguments, update, f"Discarded the plan of update {update.number}.")
    return OK


def _not_decided(error: NotDecided | DistrictSuspended) -> CommandError:
    code = error.code if isinstance(error, NotDecided) else "suspended"
    return CommandError(code, str(error))


def _print_decision(arguments: Namespace, update: UpdateJob, line: str) -> None:
    if arguments.json:
        print(output.to_json({"update": update.number, "state": update.state}))
    else:
        print(line)


def _get_update(district: District, number: int | None) -> UpdateJob:
    job = current_update(district) if number is None else find(district, number)
    if job is None:
        reason = "has not started an update yet" if number is None else f"has no update {number}"
        raise CommandError(
            "no_such_update",
            f"{district.name} {reason}; see `rollbook update list {district.slug}`",
        )
    return job


def _print_export(job: UpdateJob, name: str) -> None:
    try:
        lines = _EXPORTS[name].csv_lines(job)
        shown = _EXPORTS[name].students(job)
    except NotEnded:
        raise CommandError(
            "not_ended",
            f"update {job.number} has not finished, so this file is not complete; try again later",
        ) from None
    except RemovedByRetention as error:
        raise CommandError(
            "not_kept",
            f"{error}; its counts are still available, and its changes are in the history of each "
            "student",
        ) from None
    except FileMissing:
        raise CommandError(
            "file_gone",
            f"the file of update {job.number} is no longer available; "
            "ask the district for its own copy",
        ) from None
    record_with_confidential(name, job.district, f"update {job.number}", shown)
    sys.stdout.reconfigure(encoding="utf-8", newline="")  # type: ignore[union-attr]
    sys.stdout.writelines(lines)


def record_report(job: UpdateJob) -> None:
    """Record whom the problems of an update's report name, before it is printed."""
    texts = (problem.message for problem in problems(job))
    shown = recognition.students_named(job.district_id, texts)
    record("update show", job.district, f"update {job.number}", shown)


def report_lines(job: UpdateJob) -> Iterator[str]:
    """Yield the lines of an update's report."""
    job_report = report(job)
    context = status_context(job.district, job_report, timezone.now())
    yield str(verdict(job_report, context))
    yield ""
    yield from output.name_value_lines(_report_values(job_report))
    if job_report.plan and job_report.plan.planned_at:
        yield ""
        yield from plan_lines(job_report.plan, job_report)
    if job.problem_counts and not _is_in_first_line(job_report):
        yield ""
        yield from output.problem_totals(job.problem_counts)
        yield ""
        count = sum(job.problem_counts.values())
        yield from output.problem_lines(problems(job), count, "use --json to see all that are kept")
    if job_report.rejected and not (job.file_removed_at or job.details_hidden_at):
        yield ""
        yield "To get the rejected rows as a file that you can fix and upload again:"
        arguments = f"{job_report.slug} {job_report.number} --rejected"
        yield f"  rollbook update show {arguments} > rejected.csv"


def plan_lines(plan: PlanStatus, job_report: Report) -> Iterator[str]:
    """Yield the lines about a plan: what it would do, and which limits it exceeds."""
    time_zone = job_report.time_zone
    yield f"plan {plan.digest}: {plan_sentence(plan.summary.district)}"
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
    yield "file", _file_description(job_report)
    yield "SHA-256", job_report.file_digest
    yield "ignored columns", named_columns(job_report)
    yield "warnings", format_number(job_report.warnings) if job_report.warnings else ""
    yield "mode", job_report.mode.value
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


def _report_to_json(job: UpdateJob) -> dict[str, object]:
    job_report = report(job)
    context = status_context(job.district, job_report, timezone.now())
    return {
        **to_json(job_report, verdict(job_report, context), context),
        "mends": job_report.corrects,
        "mended_by": job_report.corrected_by,
        "counts": job.problem_counts,
    }


def _table_row(job: UpdateJob, district: District) -> tuple[str, ...]:
    counts = (job.rows, job.rows_updated, job.rows_added, job.rows_unchanged, job.rows_rejected)
    received_at = format_timestamp(job.received_at, district.time_zone)
    return (
        str(job.number),
        words_of(job).word,
        job.mode,
        received_at,
        *map(format_number, counts),
        job.file_name,
    )


def _to_json(job: UpdateJob) -> dict[str, object]:
    return {
        "update": job.number,
        "state": job.state,
        "mode": job.mode,
        "file": {"name": job.file_name, "bytes": job.file_size, "sha256": job.file_digest},
        "rows": job.rows,
        "updated": job.rows_updated,
        "added": job.rows_added,
        "unchanged": job.rows_unchanged,
        "rejected": job.rows_rejected,
        "deactivated": job.rows_deactivated,
        "received_at": job.received_at,
        "started_at": job.started_at,
        "ended_at": job.ended_at,
    }
