"""``rollbook sync``, and who is missing in ``rollbook update show``."""

import json

import pytest

from rollbook.accounts.models import AccountMail, AuditEvent, Member
from rollbook.districts import modes
from rollbook.districts.models import District
from rollbook.districts.modes import Channel
from tests.cli.conftest import Rollbook
from tests.updates.absences.nights import night, row

KEYS = [f"s{number:02}" for number in range(4)]


@pytest.fixture
def nights(maple: District) -> District:
    """A district whose last three files don't name one of four students."""
    night(maple, 0, map(row, KEYS))
    for number in (1, 2):
        night(maple, number, map(row, KEYS[1:]))
    maple.modes = None
    maple.save()
    return maple


def test_modes_are_set_and_the_last_file_is_shown_first(
    rollbook: Rollbook, nights: District, manager: Member
) -> None:
    words = ("--allow", "scripts=add,sync", "--allow", "cli=none", "--files", "2", "--days", "1")
    result = rollbook("sync", "set", "maple-usd", *words)
    assert (result.code, result.err) == (0, "")
    assert result.out == (
        "The file of update 3 doesn't name 1 of 4 active students; 1 would have been counted as "
        "missing.\n"
        "  School 100 (100): 1 of 4\n"
        "Maple USD\n"
        "  scripts: add and sync\n"
        "  pages: update and add\n"
        "  the rollbook command: no mode\n"
        "  missing students deactivated after 2 files and 1 day\n"
    )
    nights.refresh_from_db()
    assert modes.allowed_modes(nights, Channel.SCRIPTS) == ("add", "sync")
    assert modes.allowed_modes(nights, Channel.CLI) == ()
    assert AuditEvent.objects.get(action="sync set").district == nights
    assert AccountMail.objects.filter(member=manager).exists()


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("--allow", "scripts"), "ERROR bad_allow: 'scripts' isn't WHERE=MODES"),
        (("--allow", "email=add"), "ERROR bad_allow: 'email=add' isn't WHERE=MODES"),
        (("--allow", "cli=delete"), "ERROR bad_sync: there is no mode delete"),
        (("--files", "1"), "ERROR bad_sync: the number of files must be from 2 to 30"),
        (("--days", "61"), "ERROR bad_sync: the number of days must be from 1 to 60"),
    ],
)
def test_what_is_not_possible_changes_nothing(
    rollbook: Rollbook, maple: District, words: tuple[str, ...], error: str
) -> None:
    result = rollbook("sync", "set", "maple-usd", *words)
    assert result.code == 2
    assert result.err.startswith(error)
    maple.refresh_from_db()
    assert (maple.modes, maple.absent_files, maple.absent_days) == (None, 3, 2)


def test_the_settings_are_shown_also_as_json(rollbook: Rollbook, maple: District) -> None:
    result = rollbook("sync", "show", "maple-usd")
    assert result.out.endswith(
        "No file has completed yet, so nobody knows what full sync would do.\n"
    )
    shown = json.loads(rollbook("sync", "show", "maple-usd", "--json").out)
    assert shown == {
        "modes": {key: ["update", "add"] for key in ("scripts", "pages", "cli")},
        "absent_files": 3,
        "absent_days": 2,
        "last_file": None,
    }


def test_who_is_missing_is_in_the_report(rollbook: Rollbook, nights: District) -> None:
    shown = json.loads(rollbook("update", "show", "maple-usd", "--json").out)
    assert shown["deactivated"] == 0
    assert shown["absences"]["missing"] == 1
    assert "missing students  1\n" in rollbook("update", "show", "maple-usd").out
    lines = rollbook("update", "show", "maple-usd", "3", "--missing").out.splitlines()
    assert [line.split(",")[0] for line in lines] == ['"STUDENT_ID"', '"s00"']
    assert lines[1].endswith('"2","missing"')


def test_a_student_who_is_missing_is_shown_with_that(rollbook: Rollbook, nights: District) -> None:
    out = rollbook("student", "show", "maple-usd", "s00").out
    assert "missing: not in 2 files in full sync since 2026-09-02\n" in out
    shown = json.loads(rollbook("student", "show", "maple-usd", "s00", "--json").out)
    assert shown["absence"] == {"since": "2026-09-02", "files": 2, "deactivated_at": None}
    shown = json.loads(rollbook("student", "show", "maple-usd", "s01", "--json").out)
    assert shown["absence"] is None
