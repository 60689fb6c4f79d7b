"""Retention stops if the clock jumps, and waits before it removes unusually much."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from rollbook.accounts import retention_guard
from rollbook.accounts.audit import log
from rollbook.accounts.models import AuditEvent, RetentionGuard
from rollbook.accounts.retention_guard import Due, check_clock, may_remove, resume, stopped

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 28, 2, 15, tzinfo=UTC)
HOUR, TEN_YEARS = timedelta(hours=1), timedelta(days=3652)


@pytest.fixture(autouse=True)
def no_database_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Don't compare the times of these tests with the real clock."""
    monkeypatch.setattr(retention_guard, "_database_time", lambda: None)


def due(**counts: tuple[int, int]) -> Callable[[], Mapping[str, Due]]:
    return lambda: {kind: Due(*count) for kind, count in counts.items()}


def runs(now: datetime, **counts: tuple[int, int]) -> bool:
    return may_remove(now, due(**counts))


def audited() -> list[tuple[str, str]]:
    events = AuditEvent.objects.filter(action="retention").order_by("pk")
    return list(events.values_list("result", "detail"))


def test_a_little_is_removed_at_once() -> None:
    assert runs(NOW, files=(20, 40))
    assert runs(NOW + HOUR, files=(30, 40))


def test_much_that_was_due_an_hour_before_is_removed() -> None:
    assert not runs(NOW, files=(900, 1000))
    assert runs(NOW + HOUR, files=(905, 1000))
    assert runs(NOW + 2 * HOUR, files=(12, 100))


def test_a_run_that_waits_waits_in_all_of_its_calls() -> None:
    assert not runs(NOW, files=(900, 1000))
    assert not runs(NOW + timedelta(seconds=5), files=(900, 1000))


def test_a_run_that_removes_counts_only_once() -> None:
    calls: list[int] = []

    def count_due() -> Mapping[str, Due]:
        calls.append(1)
        return {}

    for second in range(3):
        assert may_remove(NOW + timedelta(seconds=second), count_due)
    assert calls == [1]


def test_each_kind_counts_by_itself() -> None:
    assert runs(NOW, files=(0, 1000), details=(0, 1000))
    assert not runs(NOW + HOUR, files=(5, 1000), details=(500, 1000))
    assert RetentionGuard.objects.get().due == {"files": 5, "details": 500}


@pytest.mark.parametrize("jump", [TEN_YEARS, timedelta(hours=49), -TEN_YEARS, -timedelta(hours=49)])
def test_a_clock_that_jumps_stops_retention_until_it_is_resumed(jump: timedelta) -> None:
    assert runs(NOW)
    assert not runs(NOW + jump)
    assert not runs(NOW + HOUR)
    assert not check_clock(NOW + HOUR)
    guard = stopped()
    assert guard
    direction = "ahead of" if jump > timedelta() else "behind"
    assert f"{direction} the last activity" in guard.reason
    assert audited() == [("stopped", guard.reason)]
    assert resume(NOW + 2 * HOUR)
    assert stopped() is None
    assert [result for result, _ in audited()] == ["stopped", "resumed"]
    assert not runs(NOW + 2 * HOUR, files=(900, 1000))
    assert runs(NOW + 3 * HOUR, files=(900, 1000))


@pytest.mark.parametrize("step", [HOUR, timedelta(hours=47), -HOUR])
def test_a_clock_that_is_changed_by_hours_stops_nothing(step: timedelta) -> None:
    assert runs(NOW)
    assert runs(NOW + step)
    assert stopped() is None


def test_an_hour_back_and_forth_stops_nothing() -> None:
    times = [NOW, NOW - HOUR, NOW, NOW + HOUR]
    assert [check_clock(time) for time in times] == [True] * 4


def test_the_first_run_is_compared_with_the_newest_audit_event() -> None:
    log.record("start", "ok", now=NOW - TEN_YEARS)
    assert not runs(NOW)
    assert stopped()


def test_the_first_run_of_a_new_installation_has_nothing_to_compare_with() -> None:
    assert runs(NOW)


def test_a_clock_that_differs_from_the_databases_stops_retention(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(retention_guard, "_database_time", lambda: NOW - TEN_YEARS)
    assert not runs(NOW)
    guard = stopped()
    assert guard
    assert "ahead of the database's clock" in guard.reason


def test_nothing_is_resumed_that_is_not_stopped() -> None:
    assert not resume(NOW)
    assert runs(NOW)
    assert not resume(NOW)
    assert audited() == []


@pytest.mark.only_on("postgresql")
def test_the_databases_clock_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        expected = cursor.fetchone()[0]
    time = retention_guard._database_time()
    assert time
    assert abs(time - expected) < timedelta(minutes=1)
