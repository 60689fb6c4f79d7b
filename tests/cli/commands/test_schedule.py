"""``rollbook schedule``."""

import json
from datetime import time, timedelta

import pytest
from django.utils import timezone

from rollbook.accounts.models import AuditEvent
from rollbook.districts import schedules
from rollbook.districts.models import District, FileSchedule, MissedFile
from rollbook.districts.schedules import ScheduleSettings
from rollbook.updates import missing_files
from tests.cli.conftest import Rollbook
from tests.conftest import make_member

SIX = time(6)


def times_of(district: District) -> tuple[time | None, ...]:
    return schedules.settings_of(district).times


def test_times_are_set_day_by_day(rollbook: Rollbook, maple: District) -> None:
    result = rollbook("schedule", "set", "maple-usd", "--time", "mon-fri=6:00AM", "--grace", "15")
    assert (result.code, result.err) == (0, "")
    assert times_of(maple) == (SIX,) * 5 + (None, None)
    words = ("--time", "Sunday=18:30", "--time", "tues=off", "--count", "any")
    assert rollbook("schedule", "set", "maple-usd", *words).code == 0
    assert times_of(maple) == (SIX, None, SIX, SIX, SIX, None, time(18, 30))
    shown = rollbook("schedule", "show", "maple-usd").out
    assert shown.startswith(
        "Maple USD: Monday 6:00 AM, Wednesday 6:00 AM, Thursday 6:00 AM, Friday 6:00 AM, "
        "Sunday 6:30 PM; 15 min grace; any file\nnext file expected by "
    )
    assert rollbook("schedule", "set", "maple-usd", "--time", "all=off").code == 0
    assert rollbook("schedule", "show", "maple-usd").out == "Maple USD: no file expected\n"
    events = AuditEvent.objects.filter(action="schedule set").order_by("pk")
    assert [event.detail for event in events][-1] == "no file expected"


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("set", "maple-usd", "--time", "mon"), "ERROR bad_time: 'mon' has no =;"),
        (("set", "maple-usd", "--time", "mo=6:00"), "ERROR bad_time: 'mo' isn't a day or days;"),
        (("set", "maple-usd", "--time", "fri-mon=6:00"), "'fri-mon' isn't a day or days;"),
        (("set", "maple-usd", "--time", "mon=25:00"), "ERROR bad_time: '25:00' isn't a time;"),
        (("set", "maple-usd", "--time", "mon=6:00", "--grace", "721"), "ERROR bad_grace:"),
        (("pause", "maple-usd", "2099-01-02", "2099-01-01"), "ERROR bad_pause: the last day"),
        (("pause", "maple-usd", "soon", "2099-01-01"), "ERROR bad_day: 'soon' isn't a day;"),
        (("unpause", "maple-usd", "2099-01-01"), "ERROR no_such_pause: no pause begins on"),
        (("show", "mapel-usd"), "ERROR no_such_district:"),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(
    rollbook: Rollbook, maple: District, words: tuple[str, ...], error: str
) -> None:
    result = rollbook("schedule", *words)
    assert result.code in {1, 2}
    assert error in result.err
    assert schedules.find(maple) is None
    assert schedules.pauses_of(maple) == []


def test_pauses_and_a_missing_file_are_shown(rollbook: Rollbook, maple: District) -> None:
    make_member(maple, "ops@maple.example")
    now = timezone.now()
    schedules.save(maple, ScheduleSettings((time(0),) * 7, 0), now)
    FileSchedule.objects.update(since=now - timedelta(days=9))
    assert missing_files.check(now) == 1
    assert rollbook("schedule", "pause", "maple-usd", "2098-12-21", "2099-01-03").code == 0
    shown = rollbook("schedule", "show", "maple-usd").out
    assert "pause from 2098-12-21 to 2099-01-03\n" in shown
    assert "MISSING: no complete file arrived by " in shown
    result = json.loads(rollbook("schedule", "show", "maple-usd", "--json").out)
    assert set(result["times"]) == {"mon", "tue", "wed", "thu", "fri", "sat", "sun"}
    assert result["pauses"] == [{"first": "2098-12-21", "last": "2099-01-03"}]
    assert result["missing_since"]
    assert result["next_expected"]
    assert MissedFile.objects.count() == 1
    assert rollbook("schedule", "unpause", "maple-usd", "2098-12-21").code == 0
    assert schedules.pauses_of(maple) == []


def test_quiet_hours_are_set_and_shown(rollbook: Rollbook, maple: District) -> None:
    words = ("--time", "mon-fri=7:30AM-3:30PM", "--time", "fri=off")
    result = rollbook("schedule", "quiet", "maple-usd", *words)
    assert result.out.startswith("Maple USD: Monday 7:30 AM–3:30 PM, Tuesday")
    assert "Friday" not in result.out
    assert "\nquiet hours: Monday" in rollbook("schedule", "show", "maple-usd").out
    shown = json.loads(rollbook("schedule", "show", "maple-usd", "--json").out)
    assert shown["quiet_hours"]["thu"] == ["7:30 AM", "3:30 PM"]
    assert AuditEvent.objects.filter(action="schedule quiet").count() == 1
    wrong = rollbook("schedule", "quiet", "maple-usd", "--time", "mon=7:30AM")
    assert wrong.code == 2
    assert "has no end" in wrong.err
    maple.refresh_from_db()
    assert len(maple.quiet_hours) == 7
