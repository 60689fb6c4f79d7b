"""Reports for tests without a database."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from rollbook.updates.reporting.report import Report
from rollbook.updates.reporting.status_line import StatusContext
from rollbook.updates.state_machine import Mode, State

URL = "https://rollbook.example"
BEGUN = datetime(2026, 11, 23, 8, 5, 11, tzinfo=UTC)
SCENE = StatusContext(BEGUN + timedelta(seconds=14), URL)

_REPORT = Report(
    number=17,
    district="Maple USD",
    slug="maple-usd",
    time_zone="America/Chicago",
    mode=Mode.UPDATE,
    state=State.CHECKING,
    source="curl",
    starter=None,
    file_name="students.csv",
    file_size=1_000_000,
    file_digest="0" * 64,
    encoding="utf-8",
    rows=4812,
    read=0,
    staged=0,
    updated=0,
    added=0,
    unchanged=0,
    rejected=0,
    received_at=BEGUN,
    started_at=BEGUN,
    applying_at=BEGUN + timedelta(seconds=12),
    progressed_at=BEGUN + timedelta(seconds=13),
    ended_at=None,
    reference="",
    refusal=None,
    groups=(),
)


def a_report(state: State, **values: Any) -> Report:
    """Return a report of update 17 of Maple USD, which started 14 seconds before SCENE."""
    return replace(_REPORT, state=state, **values)
