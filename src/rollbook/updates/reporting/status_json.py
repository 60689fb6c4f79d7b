"""Build the status of an update as JSON, for the upload commands, the report page and the CLI."""

from datetime import datetime
from itertools import chain

from django.conf import settings

from rollbook.districts.models import District
from rollbook.studentfile.problems.tally import ProblemGroup
from rollbook.updates.planning.plan_status import PlanStatus
from rollbook.updates.reporting.progress import seconds_left
from rollbook.updates.reporting.report import Report, unfinished_numbers
from rollbook.updates.reporting.status_line import StatusContext, StatusLine, link
from rollbook.updates.runner import worker_status
from rollbook.updates.state_machine import State


def status_context(district: District, report: Report, now: datetime) -> StatusContext:
    """Return the worker status and, for a queued update, the updates ahead of it."""
    worker = worker_status()
    ahead: list[int] = []
    if report.state is State.RECEIVED or report.is_waiting:
        numbers = chain(*unfinished_numbers(district))
        ahead = sorted(number for number in numbers if number < report.number)
    return StatusContext(now, settings.URL, worker.alive, worker.at, tuple(ahead))


def group_to_json(group: ProblemGroup) -> dict[str, object]:
    """Return the problems of one code as a JSON object."""
    return {
        "code": group.code,
        "severity": str(group.severity),
        "title": group.title,
        "repair": group.fix,
        "count": group.count,
        "columns": list(group.columns),
        "first_lines": list(group.lines),
    }


def to_json(report: Report, line: StatusLine, context: StatusContext) -> dict[str, object]:
    """Return the status as a JSON object; ``message`` is the status line."""
    return {
        "verdict": line.word,
        "message": str(line),
        "update": report.number,
        "district": report.district,
        "state": report.state.value,
        "mode": str(report.mode),
        "file": {
            "name": report.file_name,
            "bytes": report.file_size,
            "sha256": report.file_digest,
        },
        "rows": report.rows,
        "read": report.read,
        "staged": report.staged,
        "updated": report.updated,
        "added": report.added,
        "unchanged": report.unchanged,
        "rejected": report.rejected,
        "left_out": report.left_out,
        "not_processed": report.not_processed,
        "deactivated": report.deactivated,
        "absences": report.absences.as_json() if report.absences else None,
        "warnings": report.warnings,
        "ignored_columns": list(report.ignored),
        "received_at": report.received_at,
        "started_at": report.started_at,
        "progressed_at": report.progressed_at,
        "ended_at": report.ended_at,
        "seconds_left": seconds_left(report, context.now),
        "waiting_for": list(context.ahead),
        "started_by": report.starter.email if report.starter else None,
        "reference": report.reference or None,
        "is_check": report.is_check,
        "note": report.note,
        "column_mapping": _mapping_to_json(report),
        "split_from": report.split_from,
        "split_into": list(report.split_into),
        "undoes": report.undoes,
        "undone_by": report.undone_by,
        "link": link(report, context.url),
        "plan": _plan_to_json(report.plan) if report.plan else None,
    }


def _mapping_to_json(report: Report) -> dict[str, object] | None:
    if not report.mapping:
        return None
    return {"name": report.mapping, "version": report.mapping_version}


def _plan_to_json(plan: PlanStatus) -> dict[str, object]:
    return {
        "digest": plan.digest,
        "is_check": plan.is_check,
        "reasons": [reason.as_json() for reason in plan.reasons],
        "findings": [finding.as_json() for finding in plan.findings],
        "summary": plan.summary.district.as_json(),
        "apply_at": plan.apply_at,
        "discard_at": plan.discard_at,
        "decided_by": plan.decided_by.email if plan.decided_by else None,
        "decided_at": plan.decided_at,
        "left_out_schools": list(plan.left_out_schools),
        "discard_reason": plan.discard_reason or None,
        "replaced_by": plan.replaced_by,
    }
