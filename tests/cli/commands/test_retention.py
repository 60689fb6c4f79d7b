"""``rollbook retention``."""

from datetime import timedelta

import pytest
from django.utils import timezone

from rollbook.accounts import retention_guard
from tests.cli.conftest import Rollbook

pytestmark = pytest.mark.django_db


def stop() -> None:
    now = timezone.now()
    assert retention_guard.check_clock(now)
    assert not retention_guard.check_clock(now + timedelta(days=3652))


def test_running_retention_is_shown_and_not_resumed(rollbook: Rollbook) -> None:
    result = rollbook("retention", "show")
    assert (result.code, result.out) == (0, "Retention is running.\n")
    result = rollbook("retention", "resume")
    assert (result.code, result.out) == (0, "Retention is not stopped.\n")


def test_stopped_retention_is_shown_with_its_reason_and_resumed(rollbook: Rollbook) -> None:
    stop()
    result = rollbook("retention", "show")
    assert result.code == 1
    assert "ahead of the last activity" in result.out
    assert "run `rollbook retention resume`" in result.out
    result = rollbook("retention", "resume")
    assert result.code == 0
    assert result.out.startswith("Retention resumed at ")
    assert rollbook("retention", "show").out == "Retention is running.\n"
