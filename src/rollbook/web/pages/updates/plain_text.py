"""``/updates/17`` for curl and scripts: all there is to say about one update, as lines or JSON."""

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from rollbook.accounts.models import Member
from rollbook.studentfile.problems.tally import ProblemGroup
from rollbook.text import count_of, format_time, join_words
from rollbook.updates.reporting.report import Report, find, report
from rollbook.updates.reporting.status_json import status_context, to_json
from rollbook.updates.reporting.status_line import verdict
from rollbook.web.http.authentication import (
    audit_request,
    member_of,
    require_https,
    require_permission,
    require_unthrottled,
)
from rollbook.web.http.client import Bearer, credentials_in_header
from rollbook.web.http.error_codes import ApiError
from rollbook.web.http.responses import ApiResponse, respond_or_error

READERS = frozenset({"GET", "HEAD"})


def update(request: HttpRequest, number: int) -> HttpResponse:
    """Sign-in is HTTP Basic, as ``curl --netrc`` does it; cookies are ignored."""
    return respond_or_error(
        request, lambda: _answer(request, number, timezone.now()), allow="GET, HEAD"
    )


def _answer(request: HttpRequest, number: int, now: datetime) -> ApiResponse:
    member = _manager(request, now)
    found = find(member.district, number)
    audit_request(
        request,
        "report",
        "seen" if found else "not found",
        now,
        member=member,
        detail=f"update {number}",
    )
    if found is None:
        raise ApiError("not_found")
    facts = report(found)
    scene = status_context(member.district, facts, now)
    line = verdict(facts, scene)
    lines = (
        str(line),
        "",
        *_about_the_file(facts),
        *_about_the_way(facts, now),
        *_about_problems(facts.groups),
    )
    return ApiResponse(
        lines, to_json(facts, line, scene) | {"problems": [_group(group) for group in facts.groups]}
    )


def _manager(request: HttpRequest, now: datetime) -> Member:
    require_https(request)
    if request.method not in READERS:
        raise ApiError("use_get")
    if request.META.get("QUERY_STRING"):
        raise ApiError("query_string", command=f"curl --netrc {settings.URL}{request.path}")
    require_unthrottled(request, now)
    credentials = credentials_in_header(request)
    if credentials is None:
        raise ApiError("sign_in_needed", address=f"{settings.URL}{request.path}")
    if isinstance(credentials, Bearer):
        raise ApiError("token_elsewhere")
    member = member_of(request, credentials, now)
    require_permission(request, member, "report", now)
    return member


def _about_the_file(facts: Report) -> Iterable[str]:
    yield f"File: {facts.file_name}, {count_of(facts.file_size, 'byte')}, {count_of(facts.rows, 'row')}"
    yield f"SHA-256: {facts.file_digest}"
    yield f"Mode: {facts.mode}"
    starter = (
        f"{facts.starter.name} ({facts.starter.email})"
        if facts.starter
        else "the operator of the server"
    )
    yield f"Started by: {starter}, with {facts.source}"


def _about_the_way(facts: Report, now: datetime) -> Iterable[str]:
    times = {"Received": facts.received_at, "Begun": facts.started_at, "Ended": facts.ended_at}
    for what, at in times.items():
        if at:
            yield f"{what}: {format_time(at, now, facts.time_zone)}"


def _about_problems(groups: tuple[ProblemGroup, ...]) -> Iterable[str]:
    for group in groups:
        yield ""
        yield f"{group.count:,} x {group.code} ({group.severity}): {group.title}"
        yield f"To do: {group.repair}"
        yield from _first_lines(group)


def _first_lines(group: ProblemGroup) -> Iterable[str]:
    if group.lines:
        more = ", first" if group.count > len(group.lines) else ""
        yield f"{'Line' if group.count == 1 else 'Lines'}{more}: {join_words(group.lines)}"


def _group(group: ProblemGroup) -> dict[str, object]:
    return {
        "code": group.code,
        "severity": str(group.severity),
        "title": group.title,
        "repair": group.repair,
        "count": group.count,
        "first_lines": list(group.lines),
    }
