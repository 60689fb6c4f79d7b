"""Build the responses of the upload commands, as text and as JSON."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.conf import settings

from rollbook.accounts.email_choice import EmailChoice
from rollbook.accounts.members.members import result_recipients
from rollbook.accounts.models import Member
from rollbook.districts.models import District
from rollbook.text import count_of, format_time, join_words, name_updates
from rollbook.updates.cancel import Cancellation
from rollbook.updates.models import UpdateJob
from rollbook.updates.receiving.receive import Receipt
from rollbook.updates.reporting.remarks import remark_lines
from rollbook.updates.reporting.report import (
    Report,
    current_update,
    find,
    unfinished_numbers,
)
from rollbook.updates.reporting.report import report as build_report
from rollbook.updates.reporting.state_words import CHECKING, words_of
from rollbook.updates.reporting.status_json import group_to_json, status_context, to_json
from rollbook.updates.reporting.status_line import (
    StatusContext,
    StatusLine,
    cancellation_summary,
    link,
    verdict,
    without_worker,
)
from rollbook.updates.state_machine import PLAN_WAITING, State
from rollbook.web.http.responses import ApiResponse

POLL_INTERVAL_S = 5  # when to ask for the status of a new update


def started(receipt: Receipt, ignored: Sequence[str], now: datetime) -> ApiResponse:
    """Return the response to start, once the file is stored."""
    report = build_report(receipt.update)
    context = status_context(receipt.update.district, report, now)
    if report.state is State.REFUSED:
        return _refused(report, context)
    rows = f"{count_of(report.rows, 'student')} in {report.file_name}"
    next_step = _next_step(report, context)
    if receipt.update.state in PLAN_WAITING:  # the same file again
        accepted = verdict(report, context)
    else:
        accepted = StatusLine("OK", f"update {report.number} accepted: {rows}, {next_step}")
    lines = (
        str(accepted),
        *remark_lines(report),
        *_mailed_to(report, receipt.update.district),
        *_sent_before(receipt),
        *_ignored(ignored),
    )
    replay = {"Idempotent-Replayed": "true"} if receipt.replayed else {}
    location = {"Location": link(report, settings.URL), "Retry-After": str(POLL_INTERVAL_S)}
    body = to_json(report, accepted, context) | {
        "replayed": receipt.replayed,
        "same_file_as": receipt.same_as.number if receipt.same_as else None,
        "ignored_fields": list(ignored),
    }
    return ApiResponse(lines, body, json_status=202, headers=replay, json_headers=location)


def state_of(
    member: Member, number: int | None, ignored: Sequence[str], now: datetime
) -> ApiResponse:
    """Return the response to status."""
    district = member.district
    update = _find_update(district, number)
    if update is None:
        return _nothing("NONE", _no_update(district, number), ignored)
    report = build_report(update)
    context = status_context(district, report, now)
    line = verdict(report, context)
    lines = (
        str(line),
        *_problems(report),
        *_plan(report, now),
        *_split(report),
        *_others(district, report),
        *_starter(report, member),
        *_ignored(ignored),
    )
    problems = [group_to_json(group) for group in report.groups]
    body = to_json(report, line, context) | {"ignored_fields": list(ignored), "problems": problems}
    return ApiResponse(lines, body)


def canceled(
    member: Member, number: int | None, result: Cancellation, ignored: Sequence[str], now: datetime
) -> ApiResponse:
    """Return the response to cancel."""
    district = member.district
    if result.update is None or number not in {None, result.update.number}:
        return _nothing("NOTHING TO CANCEL", _no_update(district, number), ignored)
    report = build_report(result.update)
    context = status_context(district, report, now)
    if result.is_canceled and report.state is State.DISCARDED:
        line = _discarded(report)
    else:
        line = _canceled(report) if result.is_canceled else _already_ended(report, now)
    lines = (
        str(line),
        *_others(district, report),
        *_starter(report, member),
        *_ignored(ignored),
    )
    body = to_json(report, line, context)
    return ApiResponse(
        lines, body | {"canceled": result.is_canceled, "ignored_fields": list(ignored)}
    )


def decided(update: UpdateJob, ignored: Sequence[str], now: datetime) -> ApiResponse:
    """Return the response to approve and discard."""
    report = build_report(update)
    context = status_context(update.district, report, now)
    if report.state is State.DISCARDED:
        line = _discarded(report)
    else:
        about = f"update {report.number} approved"
        if update.left_out_schools:
            about += f" without {join_words(update.left_out_schools)}"
        line = StatusLine("OK", about)
    body = to_json(report, line, context) | {"ignored_fields": list(ignored)}
    return ApiResponse((str(line), *_others(update.district, report), *_ignored(ignored)), body)


def _refused(report: Report, context: StatusContext) -> ApiResponse:
    line = verdict(report, context)
    status = report.refusal.definition.status if report.refusal else 422
    code = report.refusal.code if report.refusal else "refused"
    lines = (
        str(line),
        f"No student was changed. All problems: {link(report, settings.URL)}",
    )
    return ApiResponse(lines, to_json(report, line, context), status, status, problem=code)


def _next_step(report: Report, context: StatusContext) -> str:
    if not context.is_worker_alive:
        return without_worker(report, context)
    if context.ahead:
        return f"waiting for {name_updates(context.ahead)}"
    return f"now {words_of(report).activity or CHECKING.activity}"


def _mailed_to(report: Report, district: District) -> Iterable[str]:
    recipients = [] if report.is_check else result_recipients(district)
    if report.starter:
        recipients.insert(0, report.starter)
    always = filter(_gets_every_email, recipients)
    addresses = [member.email for member in always]
    if addresses:
        yield f"The results will be emailed to {join_words(list(dict.fromkeys(addresses)))}."


def _gets_every_email(member: Member) -> bool:
    return member.update_emails == EmailChoice.ALWAYS


def _sent_before(receipt: Receipt) -> Iterable[str]:
    if receipt.replayed:
        number = receipt.update.number
        yield f"The same file is already update {number}; no second update was started."
    if receipt.same_as:
        same = receipt.same_as
        yield f"The file is identical to the file of update {same.number} ({same.state})."


def _ignored(names: Sequence[str]) -> Iterable[str]:
    if names:
        yield f"Ignored unknown fields: {join_words(names)}."


def _problems(report: Report) -> Iterable[str]:
    """Yield lines about the problems of an update, unless the first line has the only one."""
    if report.refusal is None or sum(group.count for group in report.groups) > 1:
        yield from remark_lines(report)


def _others(district: District, report: Report) -> Iterable[str]:
    """Yield lines that list the other unfinished updates."""
    in_progress, received = unfinished_numbers(district)
    running = [number for number in in_progress if number != report.number]
    waiting = [number for number in received if number != report.number]
    if running:
        yield f"Running: {name_updates(running)}."
    if waiting:
        yield f"Waiting: {name_updates(waiting)}."


def _plan(report: Report, now: datetime) -> Iterable[str]:
    """Yield a line that names the plan that waits for a decision."""
    plan = report.plan
    if plan and plan.discard_at and report.state in PLAN_WAITING:
        at = format_time(plan.discard_at, now, report.time_zone)
        yield f"Its plan is {plan.digest}. If nobody decides, it is discarded at {at}."


def _split(report: Report) -> Iterable[str]:
    """Yield a line about rows that were held as an update of their own."""
    if report.split_into:
        yield f"Rows of schools that exceed a limit are held as {name_updates(report.split_into)}."
    if report.split_from:
        yield f"Its rows are from the file of update {report.split_from}."


def _starter(report: Report, member: Member) -> Iterable[str]:
    if report.starter is None:
        yield f"Started by your Rollbook administrator ({report.source})."
    elif report.starter.pk != member.pk:
        yield f"Started by {report.starter.name} ({report.starter.email})."


def _canceled(report: Report) -> StatusLine:
    hint = f"(This was cancel; for the status, use {settings.URL}/slc/studentupdate/status.)"
    summary = cancellation_summary(report)
    about = f"update {report.number} canceled: {summary}. The results will be emailed. {hint}"
    return StatusLine("OK", about)


def _discarded(report: Report) -> StatusLine:
    return StatusLine("OK", f"update {report.number} discarded; nothing was applied")


def _already_ended(report: Report, now: datetime) -> StatusLine:
    about = f"update {report.number} {words_of(report).past or report.state.value}"
    if report.ended_at:
        about += f" at {format_time(report.ended_at, now, report.time_zone)}"
    return StatusLine("NOTHING TO CANCEL", about)


def _nothing(word: str, about: str, ignored: Sequence[str]) -> ApiResponse:
    line = StatusLine(word, about)
    body = {"verdict": word, "message": str(line), "update": None}
    return ApiResponse((str(line), *_ignored(ignored)), body)


def _no_update(district: District, number: int | None) -> str:
    missing = "not started an update yet" if number is None else f"no update {number}"
    return f"{district.name} has {missing}"


def _find_update(district: District, number: int | None) -> UpdateJob | None:
    return current_update(district) if number is None else find(district, number)
