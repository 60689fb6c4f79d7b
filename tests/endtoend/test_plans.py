"""A rollover is held, approved without one school, and expected the next time: real curl, TLS."""

import csv
import io
import re
from pathlib import Path

import pytest

from tests.endtoend.conftest import Rollbook
from tests.faults.folder import HEADER, row

STUDENTS = 120  # in each of two schools


def roster(folder: Path, grade: str) -> Path:
    """Write a file of all students in this grade."""
    path = folder / f"grade-{grade}.csv"
    schools = {number: "100" if number < STUDENTS else "200" for number in range(2 * STUDENTS)}
    rows = (row(number, grade=grade, school_id=school) for number, school in schools.items())
    path.write_text(HEADER + "".join(rows), encoding="utf-8")
    return path


def grades(rollbook: Rollbook) -> dict[str, set[str]]:
    """Return the grades of each school's students."""
    found: dict[str, set[str]] = {}
    for student in csv.DictReader(io.StringIO(rollbook.export().lstrip("\ufeff"))):
        found.setdefault(student["SCHOOL_ID"], set()).add(student["GRADE"])
    return found


@pytest.mark.statement("S24")
def test_a_rollover_is_held_approved_without_a_school_and_expected(
    serving: Rollbook, tmp_path: Path
) -> None:
    slug = serving.district.slug
    default = tmp_path / "limits.json"
    default.write_text("{}", encoding="ascii")
    serving.run("limits", "set", slug, "--file", str(default))
    serving.start_update(roster(tmp_path, "5"), "mode=add")
    assert serving.until_ended().startswith("COMPLETED update 1")

    checked = serving.start_update(roster(tmp_path, "6"), "check=yes")
    assert checked.verdict.startswith("OK update 2 accepted")
    found = serving.curl("status", "-F", "update=2", "-F", "wait=30")
    assert found.verdict.startswith("CHECKED update 2: 240 students would change")

    serving.start_update(roster(tmp_path, "6"), "note=rollover")
    verdict = serving.until_ended()
    assert verdict.startswith("HELD update 3: 240 of 240 students would change")
    assert grades(serving) == {"100": {"5"}, "200": {"5"}}

    plan = serving.show_update(3)["plan"]["digest"]
    serving.run("update", "approve", slug, "3", "--plan", "0" * 12, code=1)
    decision = ("-F", "update=3", "-F", f"plan={plan}", "-F", "without=200")
    approved = serving.curl("approve", *decision, "-F", "note=boundary change")
    assert approved.verdict == "OK update 3 approved without 200"
    assert serving.until_ended().startswith("COMPLETED update 3: 240 students: 120 updated")
    assert grades(serving) == {"100": {"6"}, "200": {"5"}}
    assert serving.show_update(3)["left_out"] == STUDENTS

    serving.run("limits", "expect", slug, "--columns", "GRADE", "--one-update")
    serving.start_update(roster(tmp_path, "7"))
    assert serving.until_ended().startswith("COMPLETED update 4: 240 students: 240 updated")
    serving.start_update(roster(tmp_path, "8"))
    assert serving.until_ended().startswith("HELD update 5: ")
    serving.until_mailed(8)  # with the notices about the limits and what is expected
    assert serving.curl("cancel").verdict.startswith("OK update 5 discarded")

    serving.until_mailed(9)
    subjects = [re.sub(r" · .* update ", " · ", subject) for subject in serving.subjects()]
    assert sorted(filter(re.compile(r" · \d$").search, subjects)) == [
        "120 students changed · 3",
        "240 students added · 1",
        "240 students changed · 4",
        "File checked, nothing applied yet · 2",
        "Update discarded, nothing applied · 5",
        "Update held, nothing applied yet · 3",
        "Update held, nothing applied yet · 5",
    ]
