"""The clock compared with files and the database, and the time zones."""

import os
import time
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

import pytest
from django.utils import timezone

from rollbook.accounts import retention_guard
from rollbook.districts.models import District
from rollbook.doctor import clock
from rollbook.doctor.result import Level
from tests.doctor.conftest import Here, levels, results


def set_to(monkeypatch: pytest.MonkeyPatch, ahead: timedelta) -> None:
    """Set this machine's clock ahead, as far as the check can see."""

    class Shifted(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Shifted":
            return super().now(tz) + ahead

    monkeypatch.setattr(clock, "datetime", Shifted)


def test_a_clock_that_agrees_is_ok(here: Here, data: Path) -> None:
    (data / "worker.lock").touch()
    [(level, what)] = results(clock.check(here()))
    assert (level, what.endswith(" UTC, and all time zones are available")) == (Level.OK, True)


def test_a_file_from_the_future_is_an_error(here: Here, data: Path) -> None:
    (data / "spool").mkdir()
    (data / "spool" / "0123").touch()
    later = time.time() + 3605
    os.utime(data / "spool" / "0123", (later, later))
    [(level, what)] = results(clock.check(here()))
    assert (level, f"but {data}/spool/0123 was written 1 h 0 min later" in what) == (
        Level.ERROR,
        True,
    )


@pytest.mark.only_on("postgresql")
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("ahead", "level", "words"),
    [
        (0, Level.OK, ""),
        (30, Level.WARNING, "behind this machine's"),
        (-30, Level.WARNING, "ahead of this machine's"),
        (600, Level.ERROR, "behind this machine's"),
    ],
)
def test_the_databases_clock_is_compared(
    here: Here, monkeypatch: pytest.MonkeyPatch, ahead: int, level: Level, words: str
) -> None:
    set_to(monkeypatch, timedelta(seconds=ahead))
    ready = here()
    ready.database = True
    found = results(clock._against_database(ready))
    assert [(each, words in what) for each, what in found] == (
        [] if level is Level.OK else [(level, True)]
    )


def test_a_machine_without_time_zones(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "available_timezones", set)
    assert results(clock.check(here())) == [(Level.ERROR, "this machine has no time zone data")]


def test_a_time_zone_without_data(here: Here, maple: District) -> None:
    ready = here()
    ready.tables = True
    assert levels(clock.check(ready)) == [Level.OK]
    District.objects.update(time_zone="America/Atlantis")
    assert results(clock.check(ready)) == [
        (Level.ERROR, "this machine has no data for the time zone America/Atlantis of a district")
    ]


@pytest.mark.django_db
def test_stopped_retention_is_an_error(here: Here) -> None:
    now = timezone.now()
    retention_guard.check_clock(now)
    retention_guard.check_clock(now + timedelta(days=3652))
    ready = here()
    ready.tables = True
    [(level, what)] = results(clock.check(ready))
    assert (level, what.startswith("retention is stopped: the clock says ")) == (Level.ERROR, True)
