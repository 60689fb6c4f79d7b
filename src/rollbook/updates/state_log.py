"""One log line for each state change of an update, when it has been committed."""

import logging
from datetime import datetime
from functools import partial
from typing import Any

from django.db import Error, transaction
from django.utils import timezone

from rollbook.log_format import event_fields
from rollbook.text import count_of
from rollbook.updates.models import UpdateJob
from rollbook.updates.state_machine import UNFINISHED, State

log = logging.getLogger(__name__)

_COUNTS = ("rows_updated", "rows_added", "rows_unchanged", "rows_rejected")
_FACTS = f"""
SELECT own.id, own.number, own.received_at, own.error_reference, own.rows, {", ".join(_COUNTS)},
  district.slug
FROM updates_updatejob own JOIN districts_district district ON district.id = own.district_id
WHERE own.id = %s"""


def log_after_commit(update_id: int, state: State) -> None:
    """Log the new state of an update after the commit of the current transaction."""
    transaction.on_commit(partial(_log, update_id, state, timezone.now()))


def _log(update_id: int, state: State, at: datetime) -> None:
    """Log a state; the change is committed, so no error may reach the caller."""
    try:
        facts = vars(UpdateJob.objects.raw(_FACTS, [update_id])[0])
    except (Error, IndexError):
        log.info("update with key %d is %s", update_id, state)
        return
    fields = _fields(facts, state, at)
    log.log(
        logging.ERROR if state is State.FAILED else logging.INFO,
        "update %d of %s is %s%s",
        fields["update"],
        fields["district"],
        state,
        _details(fields),
        extra=event_fields(**fields),
    )


def _fields(facts: dict[str, Any], state: State, at: datetime) -> dict[str, Any]:
    """Return the fields of the line: no value from the file, and no name of a person or file."""
    fields = {
        "district": facts["slug"],
        "update": facts["number"],
        "state": state.value,
        "rows": facts["rows"],
        "seconds": round((at - facts["received_at"]).total_seconds(), 1),
    }
    if state not in UNFINISHED:
        fields |= {name.removeprefix("rows_"): facts[name] for name in _COUNTS}
        fields["not_processed"] = facts["rows"] - sum(facts[name] for name in _COUNTS)
    if facts["error_reference"]:
        fields["reference"] = facts["error_reference"]
    return fields


def _details(fields: dict[str, Any]) -> str:
    details = f": {count_of(fields['rows'], 'row')}"
    for name in ("updated", "added", "unchanged", "rejected", "not_processed"):
        if name in fields:
            details += f", {fields[name]:,} {name.replace('_', ' ')}"
    if fields["state"] != State.RECEIVED:
        details += f"; {fields['seconds']:.1f} s since it was received"
    if "reference" in fields:
        details += f", reference {fields['reference']}"
    return details
