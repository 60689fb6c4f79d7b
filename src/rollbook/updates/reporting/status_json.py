"""The status of an update as JSON: the same for the commands, the page for scripts and the CLI."""

from datetime import datetime
from itertools import chain

from django.conf import settings

from rollbook.districts.models import District
from rollbook.updates.reporting.progress import seconds_left
from rollbook.updates.reporting.report import Report, unfinished_numbers
from rollbook.updates.reporting.status_line import StatusContext, StatusLine, link
from rollbook.updates.runner import worker_status
from rollbook.updates.state_machine import State


def status_context(district: District, facts: Report, now: datetime) -> StatusContext:
    """What surrounds the update right now."""
    seen = worker_status()
    others = chain(*unfinished_numbers(district)) if facts.state is State.RECEIVED else ()
    ahead = sorted(number for number in others if number < facts.number)
    return StatusContext(now, settings.URL, seen.alive, seen.at, tuple(ahead))


def to_json(facts: Report, line: StatusLine, scene: StatusContext) -> dict[str, object]:
    """The same as the lines say, for programs."""
    return {
        "verdict": line.word,
        "message": str(line),
        "update": facts.number,
        "district": facts.district,
        "state": facts.state.value,
        "mode": str(facts.mode),
        "file": {"name": facts.file_name, "bytes": facts.file_size, "sha256": facts.file_digest},
        "rows": facts.rows,
        "read": facts.read,
        "staged": facts.staged,
        "updated": facts.updated,
        "added": facts.added,
        "unchanged": facts.unchanged,
        "rejected": facts.rejected,
        "not_processed": facts.not_processed,
        "received_at": facts.received_at,
        "started_at": facts.started_at,
        "progressed_at": facts.progressed_at,
        "ended_at": facts.ended_at,
        "seconds_left": seconds_left(facts, scene.now),
        "waiting_for": list(scene.ahead),
        "started_by": facts.starter.email if facts.starter else None,
        "reference": facts.reference or None,
        "link": link(facts, scene.url),
    }
