"""Run ``rollbook update``: show updates, and decide about their plans."""

import sys
from argparse import Namespace
from types import ModuleType

from django.utils import timezone

from rollbook.cli import output
from rollbook.cli.audit_log import record_with_confidential
from rollbook.cli.errors import OK, CommandError
from rollbook.cli.lookup import get_district
from rollbook.cli.update_report import print_report, toned_state
from rollbook.districts.models import District
from rollbook.districts.suspension import DistrictSuspended
from rollbook.text import format_number, format_timestamp, join_words
from rollbook.updates.exports import changes, missing_students, rejected_rows, unprocessed_rows
from rollbook.updates.exports.original_rows import NotEnded, RemovedByRetention
from rollbook.updates.models import UpdateJob
from rollbook.updates.planning import decisions
from rollbook.updates.planning.decisions import Decider, NotDecided
from rollbook.updates.receiving.files import FileMissing
from rollbook.updates.reporting.report import current_update, find

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
