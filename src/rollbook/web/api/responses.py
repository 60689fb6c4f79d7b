"""The answers of the three commands: lines for people, and the same as JSON."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.conf import settings

from rollbook.accounts.members.members import result_recipients
from rollbook.accounts.models import Member
from rollbook.districts.models import District
from rollbook.text import count_of, format_time, join_words, updates
from rollbook.updates.cancel import Cancellation
from rollbook.updates.models import UpdateJob
from rollbook.updates.receiving.receive import Receipt
from rollbook.updates.reporting.report import (
    Report,
    current_update,
    find,
    report,
    unfinished_numbers,
)
from rollbook.updates.reporting.state_words import CHECKING, words_of
from rollbook.updates.reporting.status_json import status_context, to_json
from rollbook.updates.reporting.status_line import (
    StatusContext,
    StatusLine,
    cancellation_summary,
    link,
    verdict,
    without_worker,
)
from rollbook.updates.state_machine import State
from rollbook.web.http.responses import ApiResponse

POLL = 5  # seconds until it is worth asking how far an update is


def started(receipt: Receipt, ignored: Sequence[str], now: datetime) -> ApiResponse:
    """The answer to start, once the file is safe."""
    facts = report(receipt.update)
    scene = status_context(receipt.update.district, facts, now)
    if facts.state is State.REFUSED:
        return _refused(facts, scene)
    rows = f"{count_of(facts.rows, 'student')} in {facts.file_name}"
    accepted = StatusLine(
        "OK", f"update {facts.number} accepted: {rows}, {_what_now(facts, scene)}"
    )
    lines = (
        str(accepted),
        *_mailed_to(facts, receipt.update.district),
        *_sent_before(receipt),
        *_ignored(ignored),
    )
    replay = {"Idempotent-Replayed": "true"} if receipt.replayed else {}
    location = {"Location": link(facts, settings.URL), "Retry-After": str(POLL)}
    told = to_json(facts, accepted, scene) | {
        "replayed": receipt.replayed,
        "same_file_as": receipt.same_as.number if receipt.same_as else None,
        "ignored_fields": list(ignored),
    }
    return ApiResponse(lines, told, json_status=202, headers=replay, json_headers=location)


def state_of(
    member: Member, number: int | None, ignored: Sequence[str], now: datetime
) -> ApiResponse:
    """The answer to status."""
    district = member.district
    update = _asked_for(district, number)
    if update is None:
        return _nothing("NONE", _no_update(district, number), ignored)
    facts = report(update)
    scene = status_context(district, facts, now)
    line = verdict(facts, scene)
    lines = (str(line), *_others(district, facts), *_starter(facts, member), *_ignored(ignored))
    return ApiResponse(lines, to_json(facts, line, scene) | {"ignored_fields": list(ignored)})


def canceled(
    member: Member, number: int | None, result: Cancellation, ignored: Sequence[str], now: datetime
) -> ApiResponse:
    """The answer to cancel."""
    district = member.district
    if result.update is None or number not in {None, result.update.number}:
        return _nothing("NOTHING TO CANCEL", _no_update(district, number), ignored)
    facts = report(result.update)
    scene = status_context(district, facts, now)
    line = _cut(facts) if result.done else _already(facts, now)
    lines = (str(line), *_others(district, facts), *_starter(facts, member), *_ignored(ignored))
    return ApiResponse(
        lines,
        to_json(facts, line, scene) | {"canceled": result.done, "ignored_fields": list(ignored)},
    )


def _refused(facts: Report, scene: StatusContext) -> ApiResponse:
    line = verdict(facts, scene)
    status = facts.refusal.definition.status if facts.refusal else 422
    code = facts.refusal.code if facts.refusal else "refused"
    lines = (str(line), f"No student was changed. All that is wrong: {link(facts, settings.URL)}")
    return ApiResponse(lines, to_json(facts, line, scene), status, status, problem=code)


def _what_now(facts: Report, scene: StatusContext) -> str:
    if not scene.worker_alive:
        return without_worker(facts, scene)
    if scene.ahead:
        return f"waiting for {updates(scene.ahead)}"
    return f"now {words_of(facts).activity or CHECKING.activity}"


def _mailed_to(facts: Report, district: District) -> Iterable[str]:
    starter = [facts.starter.email] if facts.starter else []
    addresses = dict.fromkeys((*starter, *(member.email for member in result_recipients(district))))
    if addresses:
        yield f"The results will be e-mailed to {join_words(list(addresses))}."


def _sent_before(receipt: Receipt) -> Iterable[str]:
    if receipt.replayed:
        yield f"The same file came before and is update {receipt.update.number}; nothing was started twice."
    if receipt.same_as:
        yield f"The file is the same as that of update {receipt.same_as.number} ({receipt.same_as.state})."


def _ignored(names: Sequence[str]) -> Iterable[str]:
    if names:
        yield f"Ignored, as not known here: {join_words(names)}."


def _others(district: District, facts: Report) -> Iterable[str]:
    """The updates that the answer is not about."""
    running, waiting = (
        [number for number in some if number != facts.number]
        for some in unfinished_numbers(district)
    )
    if running:
        yield f"Running: {updates(running)}."
    if waiting:
        yield f"Waiting: {updates(waiting)}."


def _starter(facts: Report, asking: Member) -> Iterable[str]:
    if facts.starter is None:
        yield f"Started by the operator of the server ({facts.source})."
    elif facts.starter.pk != asking.pk:
        yield f"Started by {facts.starter.name} ({facts.starter.email})."


def _cut(facts: Report) -> StatusLine:
    hint = f"(This was cancel; for the state use {settings.URL}/slc/studentupdate/status.)"
    return StatusLine(
        "OK",
        f"update {facts.number} canceled: {cancellation_summary(facts)}. The results will be e-mailed. {hint}",
    )


def _already(facts: Report, now: datetime) -> StatusLine:
    at = f" at {format_time(facts.ended_at, now, facts.time_zone)}" if facts.ended_at else ""
    return StatusLine(
        "NOTHING TO CANCEL",
        f"update {facts.number} {words_of(facts).past or facts.state.value}{at}",
    )


def _nothing(word: str, about: str, ignored: Sequence[str]) -> ApiResponse:
    line = StatusLine(word, about)
    return ApiResponse(
        (str(line), *_ignored(ignored)), {"verdict": word, "message": str(line), "update": None}
    )


def _no_update(district: District, number: int | None) -> str:
    missing = "not started an update yet" if number is None else f"no update {number}"
    return f"{district.name} has {missing}"


def _asked_for(district: District, number: int | None) -> UpdateJob | None:
    return current_update(district) if number is None else find(district, number)
