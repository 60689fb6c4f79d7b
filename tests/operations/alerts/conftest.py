"""Conditions that a test turns on and off, and the operator's addresses."""

from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import Settings

from rollbook.operations.alerts import conditions, evaluate, mails
from rollbook.operations.alerts.conditions import Condition

NOW = datetime(2026, 11, 29, 8, 5, tzinfo=UTC)
OPERATORS = ("ops@host.example", "night@host.example")


class Found(dict[str, str | None]):
    """What each condition of the test finds now."""

    def condition(self, code: str, minutes: int = 0) -> Condition:
        title = f"The {code} has a problem"
        delay = timedelta(minutes=minutes)
        return Condition(code, title, f"Fix the {code}.", lambda now: self[code], delay)


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Found:
    """Replace the table by three conditions, of which nothing is found."""
    found = Found(disk="", tape="", worker="")
    table = (found.condition("disk"), found.condition("tape"), found.condition("worker", 5))
    monkeypatch.setattr(evaluate, "CONDITIONS", table)
    for module in (conditions, evaluate, mails):
        monkeypatch.setattr(module, "BY_CODE", {one.code: one for one in table})
    return found


@pytest.fixture
def operators(settings: Settings) -> tuple[str, ...]:
    settings.OPERATOR_EMAIL = OPERATORS
    return OPERATORS
