"""Run ``rollbook update``: start, watch, cancel, undo and show updates; decide about plans."""

import sys
from argparse import Namespace
from types import ModuleType

from django.utils import timezone

from rollbook.cli import output
from rollbook.cli.audit_log import record, record_with_confidential
from rollbook.cli.errors import OK, CommandError
from rollbook.cli.lookup import get_district, require_active
from rollbook.cli.update_report import print_report, toned_state
from rollbook.cli.update_run import SOURCE, FileToSend, follow, queue_full, send, watch
from rollbook.districts.models import District
from rollbook.districts.suspension import DistrictSuspended
from rollbook.text import count_of, format_number, format_timestamp, join_words
from rollbook.updates.cancel import cancel as cancel_update
from rollbook.updates.exports import changes, missing_students, rejected_rows, unprocessed_rows
from rollbook.updates.exports.original_rows import NotEnded, RemovedByRetention
from rollbook.updates.models import UpdateJob
from rollbook.updates.planning import decisions
from rollbook.updates.planning.decisions import Decider, NotDecided
from rollbook.updates.receiving.drafts import later_completed
from rollbook.updates.receiving.files import FileMissing
from rollbook.updates.receiving.receive import QueueFull, Receipt
from rollbook.updates.reporting.report import current_update, find, report
from rollbook.updates.reporting.state_words import words_of
from rollbook.updates.reporting.status_line import cancellation_summary
from rollbook.updates.runner import worker_status
from rollbook.updates.state_machine import State
from rollbook.updates.undoing.start import NotUndoable
from rollbook.updates.undoing.start import start as start_undo

_COUNTS = ("rows", "updated", "added", "unchanged", "rejected")
_HEADERS = ("number", "state", "mode", "received", *_COUNTS, "file")
_EXPORTS: dict[str, ModuleType] = {
    "rejected rows": rejected_rows,
    "rows not processed": unprocessed_rows,
    "changes": changes,
    "missing students": missing_students,
}
_NOT_APPLIED = (State.REFUSED, State.CANCELED, State.FAILED, State.DISCARDED)
"""The states of updates that can be started again."""


def start(arguments: Namespace) -> int:
    """Start an update with a file."""
    district = get_district(arguments.district)
    return _started(send(district, FileToSend.of(arguments)), arguments)


def retry(arguments: Namespace) -> int:
    """Start a new update with the file of another one."""
    district = get_district(arguments.district)
    job = _get_update(district, arguments.number)
    _require_retryable(job)
    try:
        wanted = FileToSend.of_update(job)
    except FileMissing:
        raise _file_gone(job) from None
    return _started(send(district, wanted), arguments)


def undo(arguments: Namespace) -> int:
    """Start the update that undoes another one; its plan waits for a decision."""
    district = get_district(arguments.district)
    require_active(district)
    undone = _get_update(district, arguments.number)
    try:
        job = start_undo(district, undone.number, None, SOURCE, timezone.now())
    except NotUndoable as error:
        reason = error.reason.rstrip(".")
        raise CommandError(error.code, f"{reason[:1].lower()}{reason[1:]}") from None
    except QueueFull as error:
        raise queue_full(district, error) from None
    if arguments.watch:
        return watch(job, arguments)
    if arguments.json:
        print_report(job, as_json=True)
        return OK
    print(
        f"Started update {job.number}, which plans to undo update {undone.number} in "
        f"{count_of(job.rows, 'student')}."
    )
    _print_how_to_watch(job)
    return OK


def _require_retryable(job: UpdateJob) -> None:
    if job.undoes:
        raise CommandError(
            "nothing_to_retry",
            f"update {job.number} undoes update {job.undoes.number} and has no file; run "
            f"`rollbook update undo {job.district.slug} {job.undoes.number}`",
        )
    if job.state not in _NOT_APPLIED or job.split_from_id:
        raise CommandError(
            "nothing_to_retry",
            f"update {job.number} is {words_of(job).word}; only an update of its own that was "
            "refused, canceled or discarded, or that has failed, can be started again",
        )
    if completed := later_completed(job):
        raise CommandError(
            "newer_update",
            f"update {completed.number} has completed since, and the file of update {job.number} "
            f"would undo its changes; upload a new file with `rollbook update start "
            f"{job.district.slug} FILE`",
        )
    if job.file_removed_at:
        raise _file_gone(job)


def _started(receipt: Receipt, arguments: Namespace) -> int:
    """Print what was started; with ``--watch``, follow it to its end."""
    job = receipt.update
    if arguments.watch or job.state == State.REFUSED:
        return follow(receipt, arguments)
    if arguments.json:
        print_report(job, as_json=True)
        return OK
    verb = "Continues as" if receipt.replayed else "Started"
    print(f"{verb} update {job.number}: {job.file_name}, {count_of(job.rows, 'row')}.")
    _print_how_to_watch(job)
    return OK


def _print_how_to_watch(job: UpdateJob) -> None:
    watching = f"`rollbook update watch {job.district.slug} {job.number}`"
    if worker_status().alive:
        print(f"To see its progress, run {watching}.")
    else:
        print(f"No worker is running. Start `rollbook serve`, or process it here with {watching}.")


def watch_update(arguments: Namespace) -> int:
    """Show the progress of an update, and print its report at the end."""
    district = get_district(arguments.district)
    return watch(_get_update(district, arguments.number), arguments)


def cancel(arguments: Namespace) -> int:
    """Cancel an update."""
    district = get_district(arguments.district)
    if arguments.number is not None:
        _get_update(district, arguments.number)
    result = cancel_update(district, arguments.number)
    job = result.update
    if job is None or not result.is_canceled:
        raise _nothing_to_cancel(district, job)
    record("update cancel", district, f"update {job.number}")
    if arguments.json:
        print_report(job, as_json=True)
    elif job.state == State.DISCARDED:
        print(f"Discarded the plan of update {job.number}. Nothing was applied.")
    else:
        print(f"Canceled update {job.number}: {cancellation_summary(report(job))}.")
    return OK


def _nothing_to_cancel(district: District, job: UpdateJob | None) -> CommandError:
    reason = "no update has been started yet"
    if job is not None:
        reason = f"update {job.number} is {words_of(job).word} already"
    return CommandError(
        "nothing_to_cancel", f"{reason}; `rollbook update list {district.slug}` lists all updates"
    )


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
    print_report(job, as_json=arguments.json, every=arguments.all)
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


def _file_gone(job: UpdateJob) -> CommandError:
    return CommandError(
        "file_gone",
        f"the file of update {job.number} is no longer available; ask the district for its own "
        "copy",
    )


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
        raise _file_gone(job) from None
    record_with_confidential(name, job.district, f"update {job.number}", shown)
    sys.stdout.reconfigure(encoding="utf-8", newline="")  # type: ignore[union-attr]
    sys.stdout.writelines(lines)


def _table_row(job: UpdateJob, district: District) -> tuple[str, ...]:
    counts = (job.rows, job.rows_updated, job.rows_added, job.rows_unchanged, job.rows_rejected)
    received_at = format_timestamp(job.received_at, district.time_zone)
    return (
        str(job.number),
        toned_state(job),
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
