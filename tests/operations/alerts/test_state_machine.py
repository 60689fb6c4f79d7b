"""The states of an alert, as a history of what was found at which minute."""

from datetime import UTC, datetime, timedelta

import pytest

from rollbook.operations.alerts.models import Alert
from rollbook.operations.alerts.state_machine import advance

START = datetime(2026, 11, 29, 2, 0, tzinfo=UTC)
DAY = 24 * 60
"""Minutes."""

History = list[tuple[int, str | None, str, str]]
"""For each check: the minute, what was found, the event, and the state afterward."""

HISTORIES: dict[str, tuple[int, History]] = {
    "a condition without a delay": (
        0,
        [(0, "full", "opened", "notified"), (1, "full", "", "notified")],
    ),
    "a condition that has to last": (
        5,
        [(0, "gone", "", "open"), (4, "gone", "", "open"), (5, "gone", "opened", "notified")],
    ),
    "one that does not last": (
        5,
        [(0, "gone", "", "open"), (1, "", "", "open"), (15, "", "", "resolved")],
    ),
    "one reminder a day": (
        0,
        [
            (0, "full", "opened", "notified"),
            (DAY - 1, "full", "", "notified"),
            (DAY, "full", "reminder", "notified"),
            (DAY + 1, "full", "", "notified"),
            (2 * DAY, "full", "reminder", "notified"),
        ],
    ),
    "resolved when nobody has found it for a while": (
        0,
        [
            (0, "full", "opened", "notified"),
            (10, "full", "", "notified"),
            (20, "", "", "notified"),
            (25, "", "resolved", "resolved"),
            (26, "", "", "resolved"),
        ],
    ),
    "found on one machine and not on another": (
        0,
        [
            (0, "full", "opened", "notified"),
            (1, "", "", "notified"),
            (2, "full", "", "notified"),
            (16, "", "", "notified"),
            (17, "", "resolved", "resolved"),
        ],
    ),
    "open again": (
        5,
        [
            (0, "gone", "", "open"),
            (5, "gone", "opened", "notified"),
            (20, "", "resolved", "resolved"),
            (30, "gone", "", "open"),
            (35, "gone", "opened", "notified"),
        ],
    ),
    "a process that can't check it": (
        0,
        [
            (0, "full", "opened", "notified"),
            (30, None, "", "notified"),
            (31, "", "resolved", "resolved"),
        ],
    ),
    "a clock that is set back by a day": (
        5,
        [
            (2 * DAY, "gone", "", "open"),
            (DAY, "gone", "opened", "notified"),
            (0, "gone", "reminder", "notified"),
            (-DAY, "", "resolved", "resolved"),
        ],
    ),
}


@pytest.mark.parametrize(("delay", "history"), HISTORIES.values(), ids=HISTORIES)
def test_what_the_operator_hears_of_an_alert(delay: int, history: History) -> None:
    opened_at = START + timedelta(minutes=history[0][0])
    alert = Alert(code="test", state="open", detail="", opened_at=opened_at, seen_at=opened_at)
    for minute, problem, event, state in history:
        now = START + timedelta(minutes=minute)
        happened = advance(alert, problem, timedelta(minutes=delay), now)
        assert (minute, happened or "", alert.state) == (minute, event, state)
        assert (alert.resolved_at is not None) == (state == "resolved")
        assert alert.detail == (problem or alert.detail)
