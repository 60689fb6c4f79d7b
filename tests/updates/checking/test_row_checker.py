"""Rows checked in a batch, by columns where possible, have the same result as one by one."""

import secrets
from collections.abc import Mapping
from operator import itemgetter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rollbook.districts.models import District
from rollbook.studentfile.problems.database_codes import DATABASE_PROBLEMS
from rollbook.studentfile.reading.reader import RawRow
from rollbook.studentfile.row_validator import RowValidator, ValidColumns
from rollbook.students.models import Student
from rollbook.updates.checking.row_checker import RangeResult, RowChecker
from rollbook.updates.checking.staged_rows import SimpleChangeTuple
from rollbook.updates.models import UpdateJob
from rollbook.updates.state_machine import Mode
from tests import depth
from tests.conftest import make_member
from tests.updates.night import enroll, run

GOOD: dict[str, str] = {
    "STUDENT_ID": "s001",
    "USERNAME": "u001",
    "PASSWORD": "secret001",
    "FIRST_NAME": "Ana",
    "LAST_NAME": "Brook",
    "DOB": "2012-05-13",
    "GENDER": "f",
    "GRADE": "4",
    "SCHOOL_ID": "100",
    "ELL": "n",
    "SPECIAL_ED": "n",
    "GROUPS": "Band",
    "STAFF": "",
    "STATUS": "",
}
"""The row of a student as enrolled."""

NEW = GOOD | {"STUDENT_ID": "n1", "USERNAME": "new1", "FIRST_NAME": "Zora", "LAST_NAME": "Quill"}
COACH = "coach@maple.example"
BEN = GOOD | {
    "STUDENT_ID": "s002",
    "USERNAME": "u002",
    "FIRST_NAME": "Ben",
    "GROUPS": "",
    "STAFF": "lead@maple.example",
}
"""The row of a student in the Default group."""
DEE = BEN | {"STUDENT_ID": "s004", "USERNAME": "u004", "FIRST_NAME": "Dee", "STAFF": COACH}

NO_KEYS = {"STUDENT_ID": "", "USERNAME": ""}

CAUSES: Mapping[str, dict[str, str]] = {
    "unknown_student": NEW,
    "ambiguous_student": GOOD | NO_KEYS | {"FIRST_NAME": "Max", "LAST_NAME": "Twin"},
    "student_id_conflict": GOOD | {"STUDENT_ID": "s009", "USERNAME": ""},
    "identity_mismatch": GOOD | {"FIRST_NAME": "Quentin", "LAST_NAME": "Voss", "DOB": "2009-11-30"},
    "names_exchanged": GOOD | {"FIRST_NAME": "Brook", "LAST_NAME": "Ana"},
    "similar_student_id": NEW | {"STUDENT_ID": "S001"},
    "implausible_dob": GOOD | {"DOB": "1975-05-13"},
    "unknown_school": GOOD | {"SCHOOL_ID": "999"},
    "protected_column": GOOD | {"GRADE": "5", "TITLE_1": "y"},
    "inactive_but_named": GOOD | {"STUDENT_ID": "s003", "USERNAME": "u003", "FIRST_NAME": "Cleo"},
    "inactive_student": GOOD | {"STUDENT_ID": "s003", "USERNAME": "u003", "FIRST_NAME": "Cleo"},
    "names_may_be_exchanged": GOOD | NO_KEYS | {"FIRST_NAME": "Brook", "LAST_NAME": "Ana"},
    "one_name": NEW | {"LAST_NAME": "-"},
    "unknown_staff": GOOD | {"STAFF": "nobody@maple.example"},
    "staff_elsewhere": GOOD | {"STAFF": COACH},
    "ambiguous_groups": GOOD | {"GROUPS": "Arts & Crafts"},
    "new_groups": GOOD | {"GROUPS": "Band&Robotics"},
}
"""A row with each of the problems that need the district's students."""

FOUND_LATER = {
    *("username_taken", "name_taken", "student_id_taken", "conflicting_duplicate"),
    *("changed_meanwhile", "changed_since", "waits_for_rejected"),
    *("duplicate_row", "possible_duplicate"),
    "internal_error",
}
"""Problems that are found when conflicts are resolved or rows applied, or only in case of a bug."""

ODD: tuple[dict[str, str], ...] = (
    GOOD | {"GRADE": "q"},
    GOOD | {"PASSWORD": "s001"},
    GOOD | {"FIRST_NAME": "<b>Ana"},
    GOOD | {"STATUS": "gone"},
    GOOD | {"GROUPS": "<clear>"},
    GOOD | {"SCHOOL_ID": "200"},
    GOOD | {"PASSWORD": "Secret001 ", "GRADE": "04"},
    GOOD | {"PASSWORD": "another1"},
    NEW | {"DOB": ""},
    GOOD | NO_KEYS | {"DOB": ""},
    GOOD | {"STATUS": "inactive", "CLASSIFICATIONS": "dyslexia&autism"},
    GOOD | {"GROUPS": "BAND", "TITLE_1": "<clear>"},
    BEN,
    BEN | NO_KEYS | {"GRADE": "5"},
    BEN | {"GROUPS": "<clear>", "SCHOOL_ID": ""},
    BEN | {"STAFF": "<clear>", "USERNAME": ""},
    BEN | {"STAFF": f"{COACH}&lead@maple.example"},
    GOOD | {"STUDENT_ID": "s003", "FIRST_NAME": "Cleo", "USERNAME": "", "STATUS": "active"},
    DEE,
    DEE | {"STAFF": "", "GROUPS": "<clear>"},
)
"""Other rows: with problems of their own, changed, or the same in another spelling."""

HEADER = [*GOOD, "TITLE_1", "CLASSIFICATIONS"]
ROWS = st.sampled_from([GOOD, NEW, *CAUSES.values(), *ODD])


@pytest.fixture
def school(maple: District, monkeypatch: pytest.MonkeyPatch) -> District:
    """Return a district with students, of whom two have the same name and one is inactive.

    The coach works at no school, but has a student, who is in no group.
    """
    coach = make_member(maple, COACH, "instructor")
    make_member(maple, "lead@maple.example")
    people = [
        GOOD,
        BEN,
        GOOD | {"STUDENT_ID": "s003", "USERNAME": "u003", "FIRST_NAME": "Cleo"},
        GOOD | {"STUDENT_ID": "t1", "USERNAME": "t1u", "FIRST_NAME": "Max", "LAST_NAME": "Twin"},
        GOOD | {"STUDENT_ID": "t2", "USERNAME": "t2u", "FIRST_NAME": "Max", "LAST_NAME": "Twins"},
        DEE | {"GROUPS": "", "STAFF": ""},
    ]
    enroll(maple, "\n".join([",".join(GOOD), *(",".join(cells.values()) for cells in people)]))
    run(maple, "STUDENT_ID,LAST_NAME\nt2,Twin")
    run(maple, "STUDENT_ID,STATUS\ns003,inactive")
    dee = Student.objects.get(student_id="s004")
    dee.groups.clear()
    dee.staff.add(coach)
    monkeypatch.setattr(secrets, "token_hex", lambda size: "5a" * size)
    return maple


def raw_rows(rows: list[dict[str, str]]) -> list[RawRow]:
    return [
        RawRow(line, [cells.get(name, "") for name in HEADER]) for line, cells in enumerate(rows, 2)
    ]


def check(
    district: District, rows: list[RawRow], mode: Mode, limits: dict[str, Any]
) -> RangeResult:
    update = UpdateJob(district=district, mode=mode, limits=limits, header=HEADER)
    result = RangeResult()
    RowChecker(update).check(rows, {row.line: 1000 + row.line for row in rows}, result)
    return result


def one_by_one(validator: RowValidator, rows: list[RawRow]) -> ValidColumns:
    """Leave all rows to ``RowValidator.validate``, so that none is compared by columns."""
    return ValidColumns()


def facts(result: RangeResult) -> dict[str, Any]:
    """Return a result as later steps see it, whatever the order of its rows."""
    found = {name: getattr(result, name) for name in RangeResult.__slots__}
    for name in ("staged", "rejected"):
        rows = [row._asdict() for row in found[name]]
        found[name] = sorted(map(_without_empty, rows), key=itemgetter("line"))
    found["compared"] = sorted(result.compared)
    return found


def _without_empty(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value is not None}


LIMITS: tuple[dict[str, Any], ...] = (
    {},
    {"columns": ["TITLE_1", "STATUS"]},
    {"columns": ["PASSWORD", "CLASSIFICATIONS", "GROUPS"]},
)


def test_every_problem_that_checking_finds_has_a_cause_here() -> None:
    assert {code.code for code in DATABASE_PROBLEMS} == CAUSES.keys() | FOUND_LATER


@pytest.mark.parametrize("code", sorted(CAUSES))
def test_a_row_with_a_problem_is_the_same_among_good_rows(
    school: District, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    rows = raw_rows([dict(GOOD), CAUSES[code], dict(GOOD), CAUSES[code]])
    found = set()
    for mode in Mode:
        for limits in LIMITS:
            batch = check(school, rows, mode, limits)
            with monkeypatch.context() as patch:
                patch.setattr(RowValidator, "validate_columns", one_by_one)
                assert facts(check(school, rows, mode, limits)) == facts(batch)
            found |= {problem.code for problem in batch.tally.problems}
    assert code in found


@settings(
    max_examples=depth.examples(25),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
)
@given(st.lists(ROWS, max_size=8), st.sampled_from(Mode), st.sampled_from(LIMITS))
def test_a_batch_has_the_same_result_as_its_rows_one_by_one(
    school: District, rows: list[dict[str, str]], mode: Mode, limits: dict[str, Any]
) -> None:
    batch = check(school, raw_rows(rows), mode, limits)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RowValidator, "validate_columns", one_by_one)
        assert facts(check(school, raw_rows(rows), mode, limits)) == facts(batch)


def test_a_row_equal_to_its_student_is_compared_and_a_change_is_staged(school: District) -> None:
    rows = raw_rows([dict(GOOD), BEN | {"GRADE": "5"}])
    rows[1].cells[1] = "U002"
    result = check(school, rows, Mode.UPDATE, {})
    [compared], [staged] = result.compared, result.staged
    assert compared.version == 0
    assert (staged.line, staged.values_json) == (3, '{"GRADE": ["4", "5"]}')
    assert isinstance(staged, SimpleChangeTuple)
    assert (staged.simple_columns, staged.fingerprint) == ("GRADE", 1003)
    assert result.students == {2: compared.student, 3: staged.student_id}
