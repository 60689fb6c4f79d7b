"""The clock against files, against the database, and the time zones."""

import os
import time
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

import pytest

from rollbook.districts.models import District
from rollbook.doctor import clock
from rollbook.doctor.result import Level
from tests.doctor.conftest import Here, marks, told


def set_to(monkeypatch: pytest.MonkeyPatch, ahead: timedelta) -> None:
    """As if this machine's clock were so much ahead."""

    class Shifted(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Shifted":
            return super().now(tz) + ahead

    monkeypatch.setattr(clock, "datetime", Shifted)


def test_a_clock_that_agrees_is_told(here: Here, data: Path) -> None:
    (data / "worker.lock").touch()
    [(mark, what)] = told(clock.check(here()))
    assert (mark, what.endswith(" UTC, and time zones are known")) == (Level.OK, True)


def test_a_file_of_the_future_is_an_error(here: Here, data: Path) -> None:
    (data / "spool").mkdir()
    (data / "spool" / "0123").touch()
    later = time.time() + 3605
    os.utime(data / "spool" / "0123", (later, later))
    [(mark, what)] = told(clock.check(here()))
    assert (mark, f"but {data}/spool/0123 was written 1 h 0 min later" in what) == (
        Level.ERROR,
        True,
    )


@pytest.mark.only_on("postgresql")
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("ahead", "mark", "words"),
    [
        (0, Level.OK, ""),
        (30, Level.WARNING, "behind this machine's"),
        (-30, Level.WARNING, "ahead of this machine's"),
        (600, Level.ERROR, "behind this machine's"),
    ],
)
def test_the_databases_clock_is_compared(
    here: Here, monkeypatch: pytest.MonkeyPatch, ahead: int, mark: Level, words: str
) -> None:
    set_to(monkeypatch, timedelta(seconds=ahead))
    ready = here()
    ready.database = True
    found = told(clock._against_database(ready))
    assert [(each, words in what) for each, what in found] == (
        [] if mark is Level.OK else [(mark, True)]
    )


def test_a_machine_without_time_zones(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "available_timezones", set)
    assert told(clock.check(here())) == [(Level.ERROR, "this machine knows no time zones")]


def test_a_districts_time_zone_that_this_machine_does_not_know(here: Here, maple: District) -> None:
    ready = here()
    ready.tables = True
    assert marks(clock.check(ready)) == [Level.OK]
    District.objects.update(time_zone="America/Atlantis")
    assert told(clock.check(ready)) == [
        (Level.ERROR, "this machine does not know the time zone America/Atlantis of a district")
    ]
