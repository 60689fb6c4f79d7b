"""The answers of the three commands: lines for people, and the same as JSON."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.conf import settings

from rollbook.doors.studentupdate.status_json import facts_of, scene_of
from rollbook.doors.studentupdate.wire import Answer
from rollbook.roster.models import District
from rollbook.staff.members import receivers
from rollbook.staff.models import Member
from rollbook.updates.cancel import Cancellation
from rollbook.updates.models import Update
from rollbook.updates.moves import State
from rollbook.updates.receive import Receipt
from rollbook.updates.report import Report, current, find, live, report
from rollbook.updates.state_words import CHECKING, words_of
from rollbook.updates.status_line import Scene, Verdict, cut, link, verdict, without_worker
from rollbook.updates.wording import counted, listed, moment, updates

POLL = 5  # seconds until it is worth asking how far an update is


def started(receipt: Receipt, ignored: Sequence[str], now: datetime) -> Answer:
    """The answer to start, once the file is safe."""
    facts = report(receipt.update)
    scene = scene_of(receipt.update.district, facts, now)
    if facts.state is State.REFUSED:
        return _refused(facts, scene)
    rows = f"{counted(facts.rows, 'student')} in {facts.file_name}"
    accepted = Verdict("OK", f"update {facts.number} accepted: {rows}, {_what_now(facts, scene)}")
    lines = (
        str(accepted),
        *_mailed_to(facts, receipt.update.district),
        *_sent_before(receipt),
        *_ignored(ignored),
    )
    replay = {"Idempotent-Replayed": "true"} if receipt.replayed else {}
    location = {"Location": link(facts, settings.URL), "Retry-After": str(POLL)}
    told = facts_of(facts, accepted, scene) | {
        "replayed": receipt.replayed,
        "same_file_as": receipt.same_as.number if receipt.same_as else None,
        "ignored_fields": list(ignored),
    }
    return Answer(lines, told, json_status=202, headers=replay, json_headers=location)


def state_of(member: Member, number: int | None, ignored: Sequence[str], now: datetime) -> Answer:
    """The answer to status."""
    district = member.district
    update = _asked_for(district, number)
    if update is None:
        return _nothing("NONE", _no_update(district, number), ignored)
    facts = report(update)
    scene = scene_of(district, facts, now)
    line = verdict(facts, scene)
    lines = (str(line), *_others(district, facts), *_starter(facts, member), *_ignored(ignored))
    return Answer(lines, facts_of(facts, line, scene) | {"ignored_fields": list(ignored)})


def canceled(member: Member, number: int | None, result: Cancellation, ignored: Sequence[str], now: datetime) -> Answer:
    """The answer to cancel."""
    district = member.district
    if result.update is None or number not in {None, result.update.number}:
        return _nothing("NOTHING TO CANCEL", _no_update(district, number), ignored)
    facts = report(result.update)
    scene = scene_of(district, facts, now)
    line = _cut(facts) if result.done else _already(facts, now)
    lines = (str(line), *_others(district, facts), *_starter(facts, member), *_ignored(ignored))
    return Answer(lines, facts_of(facts, line, scene) | {"canceled": result.done, "ignored_fields": list(ignored)})


def _refused(facts: Report, scene: Scene) -> Answer:
    line = verdict(facts, scene)
    status = facts.refusal.kind.status if facts.refusal else 422
    code = facts.refusal.code if facts.refusal else "refused"
    lines = (str(line), f"No student was changed. All that is wrong: {link(facts, settings.URL)}")
    return Answer(lines, facts_of(facts, line, scene), status, status, problem=code)


def _what_now(facts: Report, scene: Scene) -> str:
    if not scene.worker_alive:
        return without_worker(facts, scene)
    if scene.ahead:
        return f"waiting for {updates(scene.ahead)}"
    return f"now {words_of(facts).activity or CHECKING.activity}"


def _mailed_to(facts: Report, district: District) -> Iterable[str]:
    starter = [facts.starter.email] if facts.starter else []
    addresses = dict.fromkeys((*starter, *(member.email for member in receivers(district))))
    if addresses:
        yield f"The results will be e-mailed to {listed(list(addresses))}."


def _sent_before(receipt: Receipt) -> Iterable[str]:
    if receipt.replayed:
        yield f"The same file came before and is update {receipt.update.number}; nothing was started twice."
    if receipt.same_as:
        yield f"The file is the same as that of update {receipt.same_as.number} ({receipt.same_as.state})."


def _ignored(names: Sequence[str]) -> Iterable[str]:
    if names:
        yield f"Ignored, as not known here: {listed(names)}."


def _others(district: District, facts: Report) -> Iterable[str]:
    """The updates that the answer is not about."""
    running, waiting = ([number for number in some if number != facts.number] for some in live(district))
    if running:
        yield f"Running: {updates(running)}."
    if waiting:
        yield f"Waiting: {updates(waiting)}."


def _starter(facts: Report, asking: Member) -> Iterable[str]:
    if facts.starter is None:
        yield f"Started by the operator of the server ({facts.via})."
    elif facts.starter.pk != asking.pk:
        yield f"Started by {facts.starter.name} ({facts.starter.email})."


def _cut(facts: Report) -> Verdict:
    hint = f"(This was cancel; for the state use {settings.URL}/slc/studentupdate/status.)"
    return Verdict("OK", f"update {facts.number} canceled: {cut(facts)}. The results will be e-mailed. {hint}")


def _already(facts: Report, now: datetime) -> Verdict:
    at = f" at {moment(facts.ended_at, now, facts.time_zone)}" if facts.ended_at else ""
    return Verdict("NOTHING TO CANCEL", f"update {facts.number} {words_of(facts).past or facts.state.value}{at}")


def _nothing(word: str, about: str, ignored: Sequence[str]) -> Answer:
    line = Verdict(word, about)
    return Answer((str(line), *_ignored(ignored)), {"verdict": word, "message": str(line), "update": None})


def _no_update(district: District, number: int | None) -> str:
    missing = "not started an update yet" if number is None else f"no update {number}"
    return f"{district.name} has {missing}"


def _asked_for(district: District, number: int | None) -> Update | None:
    return current(district) if number is None else find(district, number)
