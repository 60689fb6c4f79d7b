"""``rollbook limits``."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from rollbook.accounts.models import AccountMail, AuditEvent, Member
from rollbook.districts.local_dates import local_date
from rollbook.districts.models import District
from rollbook.updates.models import Expectation, LimitSet
from rollbook.updates.planning import limit_sets
from rollbook.updates.planning.limit_document import LimitDocument, Profile
from rollbook.updates.planning.limits import DEFAULT_LIMITS, Limit, Limits
from tests.cli.conftest import Rollbook
from tests.updates.night import a_class, enroll, run

DAY = timedelta(days=1)


def audited(action: str) -> list[str]:
    events = AuditEvent.objects.filter(action=action).order_by("pk")
    return [f"{event.result}: {event.detail}" for event in events]


def save(path: Path, document: LimitDocument) -> Path:
    path.write_text(json.dumps(document.as_json()), encoding="utf-8")
    return path


def test_what_show_prints_as_json_can_be_set_again(
    rollbook: Rollbook, maple: District, tmp_path: Path
) -> None:
    shown = rollbook("limits", "show", "maple-usd", "--json")
    assert LimitDocument.from_json(json.loads(shown.out)) == LimitDocument()
    path = tmp_path / "limits.json"
    path.write_text(shown.out, encoding="utf-8")
    result = rollbook("limits", "set", "maple-usd", "--file", path)
    assert (result.code, result.err) == (0, "")
    assert result.out == "Maple USD has these limits already; nothing was changed.\n"
    assert LimitSet.objects.count() == 0


def test_a_version_is_saved_audited_and_reported_to_the_managers(
    rollbook: Rollbook, maple: District, manager: Member, tmp_path: Path
) -> None:
    path = save(tmp_path / "limits.json", LimitDocument(second_person=True))
    result = rollbook("limits", "set", "maple-usd", "--file", path)
    assert (result.code, result.err) == (0, "")
    assert result.out == (
        "Saved version 1 of the limits of Maple USD:\n  second person: no → yes\n"
    )
    assert limit_sets.find_current(maple.pk).document.second_person
    assert audited("limits set") == ["done: limits, version 1: second person: no → yes"]
    assert AccountMail.objects.get().member == manager


def test_limits_profiles_and_expectations_are_shown(
    rollbook: Rollbook, maple: District, tmp_path: Path
) -> None:
    shown = rollbook("limits", "show", "maple-usd").out
    assert shown.startswith("Maple USD: default limits\n\nmeasure")
    assert "\nunknown             50% and 20   no limit\n" in shown
    assert "may be approved by who started it, and is discarded after 72 hours" in shown
    today = local_date(maple, timezone.now())
    limits = Limits({"added": Limit(90, 5000)}, {})
    document = LimitDocument(
        DEFAULT_LIMITS,
        (Profile("rollover", today, today, limits), Profile("later", today, today, limits)),
        second_person=True,
    )
    rollbook("limits", "set", "maple-usd", "--file", save(tmp_path / "l.json", document))
    rollbook("limits", "expect", "maple-usd", "--columns", "GRADE", "--one-update")
    shown = rollbook("limits", "show", "maple-usd").out
    assert shown.startswith(
        "Maple USD: limits, version 1, saved <time> by the Rollbook administrator\n"
    )
    assert f"profile rollover from {today} to {today}, applies now\n" in shown
    assert f"profile later from {today} to {today}\n" in shown
    assert "90% and 5,000" in shown
    assert "must be approved by a second person" in shown
    assert "expected: GRADE, in the next update until " in shown


def test_older_versions_are_kept(rollbook: Rollbook, maple: District, tmp_path: Path) -> None:
    for hours in (5, 6):
        path = save(tmp_path / "limits.json", LimitDocument(discard_after_hours=hours))
        rollbook("limits", "set", "maple-usd", "--file", path)
    older = rollbook("limits", "show", "maple-usd", "--version", "1", "--json")
    assert json.loads(older.out)["discard_after_hours"] == 5
    missing = rollbook("limits", "show", "maple-usd", "--version", "3")
    assert (missing.code, missing.err.split(":")[0]) == (1, "ERROR no_such_version")


def test_limits_are_tried_before_they_are_saved(
    rollbook: Rollbook, maple: District, tmp_path: Path
) -> None:
    assert rollbook("limits", "try", "maple-usd").out == (
        "There is no update of the last 400 days to try these limits on.\n"
    )
    enroll(maple, a_class(40))
    run(maple, a_class(6, GRADE="9"))
    result = rollbook("limits", "try", "maple-usd")
    assert result.out == (
        "Of 2 updates in the last 400 days, none would have been held with these limits; "
        "none were held then.\n"
    )
    strict = LimitDocument(Limits({"changed": Limit(0, 5)}, {}))
    path = save(tmp_path / "limits.json", strict)
    result = rollbook("limits", "try", "maple-usd", "--file", path)
    assert result.out == (
        "Of 2 updates in the last 400 days, 1 would have been held with these limits; "
        "none were held then.\n\nupdate 2, <time>\n"
        "  6 of 40 students would change (15 %; the limit is 0 % and 5)\n"
    )
    found = json.loads(rollbook("limits", "try", "maple-usd", "--file", path, "--json").out)
    assert (found["judged"], found["would_be_held"], found["were_held"]) == (2, 1, 0)
    assert found["updates"][0]["reasons"] == [
        {"measure": "changed", "count": 6, "of": 40, "percent": 0, "limit": 5}
    ]
    assert LimitSet.objects.count() == 0


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ("{", "line 1 isn't JSON"),
        ('{"limits": {"moved": {}}}', "there is no 'moved' in the limits; did you mean moved_out?"),
        (
            '{"limits": {"added": {"district": {"percent": 101, "count": 1}}}}',
            "added.district.percent must be a whole number from 0 to 100",
        ),
        (
            '{"profiles": [{"name": "a", "first": "2027-06-02", "last": "2027-06-01", '
            '"limits": {}}]}',
            "the profile 'a' ends on 2027-06-01, before it begins on 2027-06-02",
        ),
        (" " * 300_000, "the document has more than 262,144 bytes"),
    ],
)
@pytest.mark.parametrize("command", ["set", "try"])
def test_a_file_that_is_no_document_is_refused(
    rollbook: Rollbook, maple: District, tmp_path: Path, command: str, content: str, error: str
) -> None:
    path = tmp_path / "limits.json"
    path.write_text(content, encoding="utf-8")
    result = rollbook("limits", command, "maple-usd", "--file", path)
    assert result.code == 1
    assert result.err.startswith(f"ERROR bad_limits: {path}: {error}")
    assert result.err.count("\n") == 1
    assert LimitSet.objects.count() == 0


def test_a_file_that_is_missing_is_refused(
    rollbook: Rollbook, maple: District, tmp_path: Path
) -> None:
    result = rollbook("limits", "set", "maple-usd", "--file", tmp_path / "none.json")
    assert (result.code, result.err.split(":")[0]) == (1, "ERROR not_possible")


def expected_until(rollbook: Rollbook, text: str) -> datetime:
    result = rollbook("limits", "expect", "maple-usd", "--columns", "grade", "--until", text)
    assert (result.code, result.err) == (0, "")
    return Expectation.objects.latest("pk").until


def test_changes_are_expected_listed_and_ended(rollbook: Rollbook, maple: District) -> None:
    assert rollbook("limits", "expect", "maple-usd").out == "Maple USD expects no changes.\n"
    zone = ZoneInfo(maple.time_zone)
    day = local_date(maple, timezone.now()) + DAY
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone) + DAY
    assert expected_until(rollbook, day.isoformat()) == midnight
    assert expected_until(rollbook, f"{day} 18:30") == midnight - timedelta(hours=5.5)
    moment = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    assert expected_until(rollbook, moment.isoformat()) == moment
    words = ("--columns", "SCHOOL_ID,STUDENT_ADDED", "--one-update")
    listed = rollbook("limits", "expect", "maple-usd", *words).out.splitlines()
    assert len(listed) == 4
    last = Expectation.objects.latest("pk")
    assert listed[-1].startswith(f"{last.pk}: SCHOOL_ID and new students, in the next update until")
    assert audited("limits expect")[-1].startswith("done: SCHOOL_ID and new students, in the next")
    found = json.loads(rollbook("limits", "expect", "maple-usd", "--json").out)
    assert found[-1]["columns"] == ["SCHOOL_ID", "STUDENT_ADDED"]
    assert (found[-1]["number"], found[-1]["for_one_update"]) == (last.pk, True)
    assert len(rollbook("limits", "expect", "maple-usd", "--end", last.pk).out.splitlines()) == 3
    ended = rollbook("limits", "expect", "maple-usd", "--end").out
    assert ended == "Maple USD expects no changes.\n"
    assert len(audited("limits expect end")) == 4


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("--columns", "GRADES", "--one-update"), "bad_expectation: there is no column 'GRADES';"),
        (("--columns", "", "--one-update"), "bad_expectation: no column is named"),
        (("--columns", "GRADE", "--until", "2020-01-01"), "bad_expectation: Jan 2, 2020, 12:00 AM"),
        (("--columns", "GRADE", "--until", "2999-01-01"), "bad_expectation: changes can be expect"),
        (("--columns", "GRADE", "--until", "Friday"), "bad_time: 'Friday' isn't a time; write"),
        (("--columns", "GRADE", "--until", "9999-12-31"), "bad_time: '9999-12-31' isn't a time"),
        (
            ("--columns", "GRADE", "--until", "0001-01-01T00:00+14:00"),
            "bad_time: '0001-01-01T00:00+14:00' isn't a time",
        ),
        (("--columns", "GRADE"), "no_end: say when it ends, with --until 2027-07-02"),
        (("--one-update",), "no_columns: name the columns that may change, with --columns"),
        (("--columns", "GRADE", "--end"), "end_or_columns: use either --end or --columns"),
        (("--end", "5"), "no_such_expectation: no such change is expected now;"),
        (("--end",), "no_such_expectation: no such change is expected now;"),
    ],
)
def test_what_cannot_be_expected_is_refused(
    rollbook: Rollbook, maple: District, words: tuple[str, ...], error: str
) -> None:
    result = rollbook("limits", "expect", "maple-usd", *words)
    assert result.code in {1, 2}
    assert result.err.startswith(f"ERROR {error}")
    assert result.err.count("\n") == 1
    assert Expectation.objects.count() == 0
