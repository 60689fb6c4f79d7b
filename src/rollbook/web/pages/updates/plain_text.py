"""Return the report of one update, ``/updates/17``, as lines or JSON for curl and scripts."""

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from rollbook.accounts.auth.api_tokens import Scope
from rollbook.accounts.models import Member
from rollbook.studentfile.problems.tally import ProblemGroup
from rollbook.text import count_of, format_time, join_words
from rollbook.updates.reporting.remarks import named_columns
from rollbook.updates.reporting.report import Report, find, report
from rollbook.updates.reporting.status_json import group_to_json, status_context, to_json
from rollbook.updates.reporting.status_line import verdict
from rollbook.web.http.authentication import (
    audit_request,
    authenticate,
    reject_exposed_credentials,
    require_https,
    require_permission,
    require_scope,
    require_unthrottled,
)
from rollbook.web.http.client import credentials_in_header
from rollbook.web.http.error_codes import ApiError
from rollbook.web.http.responses import ApiResponse, respond_or_error

READERS = frozenset({"GET", "HEAD"})


def update(request: HttpRequest, number: int) -> HttpResponse:
    """Return the report of an update.

    Clients sign in with HTTP Basic, as ``curl --netrc`` does, or with a token that may call
    status, which says nearly the same; cookies are ignored.
    """
    return respond_or_error(
        request, lambda: _respond(request, number, timezone.now()), allow="GET, HEAD"
    )


def _respond(request: HttpRequest, number: int, now: datetime) -> ApiResponse:
    member = _manager(request, now)
    found = find(member.district, number)
    result = "seen" if found else "not found"
    audit_request(
        request,
        "report",
        result,
        now,
        member=member,
        detail=f"update {number}",
    )
    if found is None:
        raise ApiError("not_found")
    current = report(found)
    context = status_context(member.district, current, now)
    line = verdict(current, context)
    lines = (
        str(line),
        "",
        *_file_lines(current),
        *_time_lines(current, now),
        *_problem_lines(current.groups),
    )
    problems = [group_to_json(group) for group in current.groups]
    return ApiResponse(lines, to_json(current, line, context) | {"problems": problems})


def _manager(request: HttpRequest, now: datetime) -> Member:
    """Return the member who sent the request, who must be allowed to read reports.

    Raises:
        ApiError: if the request is not acceptable, or the member is not allowed.
    """
    require_https(request)
    address = f"{settings.URL}{request.path}"
    reject_exposed_credentials(request, "report", f"curl --netrc {address}", now)
    if request.method not in READERS:
        raise ApiError("use_get")
    if request.META.get("QUERY_STRING"):
        raise ApiError("query_string", command=f"curl --netrc {address}")
    require_unthrottled(request, now)
    credentials = credentials_in_header(request)
    if credentials is None:
        raise ApiError("sign_in_needed", address=address)
    member, token = authenticate(request, credentials, now)
    require_permission(request, member, "report", now)
    require_scope(request, token, "report", Scope.STATUS, now)
    return member


def _file_lines(current: Report) -> Iterable[str]:
    if current.undoes is not None:
        yield f"Undoes: update {current.undoes}, {count_of(current.rows, 'student')}"
        yield _started_by(current)
        return
    size, rows = count_of(current.file_size, "byte"), count_of(current.rows, "row")
    yield f"File: {current.file_name}, {size}, {rows}"
    yield f"SHA-256: {current.file_digest}"
    if current.ignored:
        yield f"Ignored columns: {named_columns(current)}"
    if current.warnings:
        yield f"Warnings: {current.warnings:,}"
    yield f"Mode: {current.mode}"
    yield _started_by(current)
    if current.undone_by is not None:
        yield f"Undone by: update {current.undone_by}"


def _started_by(current: Report) -> str:
    starter = current.starter
    name = f"{starter.name} ({starter.email})" if starter else "your Rollbook administrator"
    return f"Started by: {name}, with {current.source}"


def _time_lines(current: Report, now: datetime) -> Iterable[str]:
    times = {
        "Received": current.received_at,
        "Started": current.started_at,
        "Ended": current.ended_at,
    }
    for label, at in times.items():
        if at:
            yield f"{label}: {format_time(at, now, current.time_zone)}"


def _problem_lines(groups: tuple[ProblemGroup, ...]) -> Iterable[str]:
    for group in groups:
        yield ""
        yield f"{group.count:,} x {group.code} ({group.severity}): {group.title}"
        yield f"To do: {group.fix}"
        if group.columns:
            label = "Column" if len(group.columns) == 1 else "Columns"
            yield f"{label}: {join_words(group.columns)}"
        yield from _first_lines(group)


def _first_lines(group: ProblemGroup) -> Iterable[str]:
    if group.lines:
        label = "Line" if group.count == 1 else "Lines"
        if group.count > len(group.lines):
            label = "First lines" if len(group.lines) > 1 else "First line"
        yield f"{label}: {join_words(group.lines)}"
