"""The plan of a chunk, a pure function; no test here uses the database."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbook.students.snapshots import StudentSnapshot
from rollbook.students.writer import STUDENT_ADDED, NewStudent
from rollbook.updates.applying.chunk_plan import ChunkPlan, ChunkRows, PendingRow, claim_keys

Values = dict[str, str]
Students = dict[int, StudentSnapshot]
Holders = dict[str, dict[str, int]]

STORED = "hmac$salt$mark$proof"
ANN = {"FIRST_NAME": "Ann", "LAST_NAME": "Lee", "DOB": "2012-05-13"}
SCHOOLS = {"", "100", "200"}


def student(pk: int, version: int = 0, **values: str) -> StudentSnapshot:
    """Return a student; the one with the key 1 has the ID s1 and the username u1."""
    known = {
        "STUDENT_ID": f"s{pk}",
        "USERNAME": f"u{pk}",
        "FIRST_NAME": f"Ann{pk}",
        "LAST_NAME": "Lee",
    }
    known |= {"DOB": "2012-05-13", "SCHOOL_ID": "100", "GRADE": "4", "GROUPS": "Band", "STAFF": ""}
    return StudentSnapshot(pk, version, STORED, known | values)


def pending(line: int, record: StudentSnapshot | None, /, **values: str) -> PendingRow:
    """Return a staged row that isn't simple, for a student of version 0 or a new student."""
    student_id = record.pk if record else None
    version = 0 if record else None
    stored: Mapping[str, Any] = values
    if record:
        stored = {column: (record.values.get(column, ""), new) for column, new in values.items()}
    text = json.dumps(stored)
    return PendingRow(line, 100 + line, line, student_id, version, text, None, 1000 + line)


def simple(line: int, record: StudentSnapshot, /, **values: str) -> PendingRow:
    """Return a staged row of simple columns only."""
    return pending(line, record, **values)._replace(simple_columns=",".join(values))


def holders_of(students: Students) -> Holders:
    """Return the holders of all keys."""
    records = students.values()
    return {
        "STUDENT_ID": {record.values["STUDENT_ID"]: record.pk for record in records},
        "USERNAME": {record.values["USERNAME"]: record.pk for record in records},
    }


def plan(rows: list[PendingRow], *enrolled: StudentSnapshot) -> ChunkPlan:
    """Return the plan of a chunk of these rows, with these students in the district."""
    students = {record.pk: record for record in enrolled}
    chunk = ChunkRows.split(rows, {record.pk: record.version for record in enrolled}, SCHOOLS)
    return ChunkPlan.build(chunk, students, claim_keys(chunk, students), holders_of(students))


def new_values(chunk: ChunkPlan) -> dict[int, Values]:
    """Return the new values of the student of each line."""
    return {line: change.new for line, change in chunk.changes.items()}


def rejected(chunk: ChunkPlan) -> dict[int | None, str | None]:
    """Return the reported column of each rejected line."""
    assert {problem.code for problem in chunk.rejected} <= {"changed_meanwhile"}
    return {problem.line: problem.column for problem in chunk.rejected}


# Simple changes


def test_simple_changes_are_grouped_by_their_columns() -> None:
    one, two, three = student(1), student(2), student(3)
    rows = [
        simple(2, one, GRADE="5"),
        simple(3, two, GRADE="6"),
        simple(4, three, GRADE="5", RACE="WH"),
    ]
    chunk = plan(rows, one, two, three)
    assert chunk.rows.simple_changes == {
        "GRADE": {1: '{"GRADE": ["4", "5"]}', 2: '{"GRADE": ["4", "6"]}'},
        "GRADE,RACE": {3: '{"GRADE": ["4", "5"], "RACE": ["", "WH"]}'},
    }
    assert (chunk.changes, chunk.new_students, chunk.rejected) == ({}, {}, [])
    assert chunk.settled_students() == [1, 2, 3]
    assert chunk.field_counts() == {"GRADE": 3, "RACE": 1, STUDENT_ADDED: 0}
    assert chunk.outcome_counts() == {
        "rows_updated": 3,
        "rows_unchanged": 0,
        "rows_added": 0,
        "rows_rejected": 0,
    }


def test_simple_changes_claim_no_keys() -> None:
    chunk = ChunkRows.split([simple(2, student(1), GRADE="5")], {1: 0}, SCHOOLS)
    assert claim_keys(chunk, {}) == {}


def test_a_student_of_another_version_is_compared_and_no_fingerprint_is_stored() -> None:
    one = student(1, version=3, GRADE="7")
    chunk = plan([simple(2, one, GRADE="5", RACE="WH")._replace(student_version=2)], one)
    assert chunk.rows.simple_changes == {}
    assert new_values(chunk) == {2: {"GRADE": "5", "RACE": "WH"}}
    assert chunk.changes[2].fingerprint is None


# Changes that are compared with their student


def test_the_fingerprint_of_a_change_of_the_same_version_is_stored() -> None:
    one = student(1)
    chunk = plan([pending(2, one, GROUPS="Chess")], one)
    assert new_values(chunk) == {2: {"GROUPS": "Chess"}}
    assert chunk.changes[2].fingerprint == 1002
    assert chunk.field_counts() == {"GROUPS": 1, STUDENT_ADDED: 0}


def test_a_row_that_no_longer_changes_its_student_is_unchanged() -> None:
    before, now = student(1), student(1, version=1, GRADE="5")
    chunk = plan([simple(2, before, GRADE="5")], now)
    assert new_values(chunk) == {2: {}}
    assert chunk.unchanged_lines == {2}
    assert chunk.outcome_counts() == {
        "rows_updated": 0,
        "rows_unchanged": 1,
        "rows_added": 0,
        "rows_rejected": 0,
    }


@pytest.mark.parametrize(("stored", "new"), [(STORED, {}), ("other", {"PASSWORD": "other"})])
def test_a_password_is_compared_as_it_is_stored(stored: str, new: Values) -> None:
    one = student(1, version=1)
    chunk = plan([simple(2, one, PASSWORD=stored)], one)
    assert new_values(chunk) == {2: new}


def test_a_transfer_is_compared_with_the_present_school() -> None:
    before, now = student(1), student(1, version=1, SCHOOL_ID="200", GROUPS="Chess")
    assert new_values(plan([pending(2, before, SCHOOL_ID="200")], now)) == {2: {}}
    moved = {"SCHOOL_ID": "200", "GROUPS": "Default", "STAFF": ""}
    assert new_values(plan([pending(2, before, SCHOOL_ID="200")], before)) == {2: moved}


def test_a_student_who_was_deleted_rejects_the_row_alone() -> None:
    one, two = student(1), student(2)
    rows = [simple(2, one, GRADE="5"), pending(3, one, USERNAME="new"), simple(4, two, GRADE="5")]
    chunk = plan(rows, two)
    assert rejected(chunk) == {2: None, 3: None}
    assert [*chunk.rows.simple_changes["GRADE"]] == [2]
    assert chunk.outcome_counts() == {
        "rows_updated": 1,
        "rows_unchanged": 0,
        "rows_added": 0,
        "rows_rejected": 2,
    }


# New students


def test_a_new_student_is_added_with_the_fingerprint_of_its_row() -> None:
    chunk = plan([pending(2, None, **ANN, STUDENT_ID="n1")])
    assert chunk.new_students == {2: NewStudent({**ANN, "STUDENT_ID": "n1"}, 1002)}
    assert chunk.field_counts() == {STUDENT_ADDED: 1}
    assert chunk.outcome_counts() == {
        "rows_updated": 0,
        "rows_unchanged": 0,
        "rows_added": 1,
        "rows_rejected": 0,
    }


def test_each_new_student_has_the_values_of_its_row() -> None:
    rows = [pending(2, None, **ANN, GRADE="1"), pending(3, student(1), GRADE="5")]
    rows += [pending(4, None, **ANN, SCHOOL_ID="999"), pending(5, None, **ANN, GRADE="2")]
    chunk = plan(rows, student(1))
    assert {line: new.values["GRADE"] for line, new in chunk.new_students.items()} == {
        2: "1",
        5: "2",
    }
    assert new_values(chunk) == {3: {"GRADE": "5"}}


@pytest.mark.parametrize(
    ("values", "column"),
    [
        ({"STUDENT_ID": "s1"}, "STUDENT_ID"),
        ({"USERNAME": "u1"}, "USERNAME"),
    ],
)
def test_a_new_student_cannot_have_a_key_that_is_held(values: Values, column: str) -> None:
    chunk = plan([pending(2, None, **{**ANN, **values}), pending(3, None, **ANN)], student(1))
    assert rejected(chunk) == {2: column}
    assert list(chunk.new_students) == [3]


def test_new_students_without_id_or_username_do_not_clash() -> None:
    others = {**ANN, "FIRST_NAME": "Bob"}
    assert rejected(plan([pending(2, None, **ANN), pending(3, None, **others)])) == {}


def test_of_two_rows_that_claim_one_key_the_first_line_gets_it() -> None:
    one = student(1)
    rows = [pending(3, None, **ANN, USERNAME="new"), pending(2, one, USERNAME="new")]
    assert rejected(plan(rows, one)) == {3: "USERNAME"}


# Keys of students who are enrolled


@pytest.mark.parametrize(
    ("values", "column"),
    [
        ({"STUDENT_ID": "s2"}, "STUDENT_ID"),
        ({"USERNAME": "u2"}, "USERNAME"),
        ({"STUDENT_ID": "s2", "GRADE": "5"}, "STUDENT_ID"),
    ],
)
def test_a_key_that_its_holder_keeps_rejects_the_row(values: Values, column: str) -> None:
    one, two = student(1), student(2)
    chunk = plan([pending(2, one, **values), pending(3, two, GRADE="5", GROUPS="Chess")], one, two)
    assert rejected(chunk) == {2: column}
    assert list(chunk.changes) == [3]


def test_a_key_that_is_released_in_the_chunk_can_be_claimed() -> None:
    one, two = student(1), student(2)
    for rows in ([pending(2, one, USERNAME="u2"), pending(3, two, USERNAME="new")],) * 2:
        assert rejected(plan(rows, one, two)) == {}
        rows.reverse()


def test_a_new_student_can_claim_a_key_that_is_released() -> None:
    one = student(1)
    rows = [pending(2, one, USERNAME="new"), pending(3, None, **ANN, USERNAME="u1")]
    assert rejected(plan(rows, one)) == {}


def test_releasing_one_key_releases_no_other() -> None:
    one, two = student(1), student(2)
    rows = [pending(2, one, USERNAME="u2"), pending(3, two, FIRST_NAME="Zoe")]
    assert rejected(plan(rows, one, two)) == {2: "USERNAME"}


def test_the_same_name_in_other_capitals_claims_no_key() -> None:
    one = student(1)
    chunk = ChunkRows.split([pending(2, one, FIRST_NAME="ANN1", USERNAME="u1")], {1: 0}, SCHOOLS)
    assert claim_keys(chunk, {1: one}) == {}


def test_a_rejected_row_releases_no_key_so_dependent_rows_are_rejected_too() -> None:
    students = [student(n) for n in range(1, 5)]
    rows = [pending(n + 1, students[n - 1], USERNAME=f"u{n + 1}") for n in range(1, 4)]
    assert rejected(plan(rows, *students)) == dict.fromkeys((4, 3, 2), "USERNAME")


# Cycles


@pytest.mark.parametrize("size", [2, 3, 50])
def test_a_cycle_is_applied_completely(size: int) -> None:
    students = [student(n) for n in range(size)]
    rows = [pending(n + 2, students[n], USERNAME=f"u{(n + 1) % size}") for n in range(size)]
    chunk = plan(rows, *students)
    assert (rejected(chunk), len(chunk.changes)) == ({}, size)


@pytest.mark.parametrize("size", [2, 3, 50])
def test_a_cycle_with_one_impossible_row_is_rejected_completely(size: int) -> None:
    students = [student(n) for n in range(size)]
    rows = [pending(n + 2, students[n], USERNAME=f"u{(n + 1) % size}") for n in range(size)]
    rows[0] = pending(2, students[0], USERNAME=f"u{1 % size}", STUDENT_ID="held")
    other = student(size + 1, STUDENT_ID="held")
    chunk = plan(rows, *students, other)
    assert set(rejected(chunk)) == set(range(2, size + 2))
    assert chunk.changes == {}


def test_a_cycle_whose_student_has_left_it_meanwhile_is_applied() -> None:
    one, two = student(1), student(2, version=1, USERNAME="elsewhere")
    rows = [pending(2, one, USERNAME="u2"), pending(3, two, USERNAME="u1")]
    assert rejected(plan(rows, one, two)) == {}


# What is true of every chunk

PKS = st.integers(1, 5)
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "STUDENT_ID": st.sampled_from(["s1", "s2", "s3", "s9"]),
        "USERNAME": st.sampled_from(["u1", "u2", "u3", "u4", "u9"]),
        "FIRST_NAME": st.sampled_from(["Ann1", "ANN2", "Ann9"]),
        "GROUPS": st.sampled_from(["Band", "Chess"]),
    },
)
NEWCOMERS = st.builds(lambda changes: {**ANN, **changes}, CHANGES)
ENROLLED = st.dictionaries(PKS, st.integers(0, 1), min_size=1).map(
    lambda versions: {pk: student(pk, version) for pk, version in versions.items()}
)


@st.composite
def chunks(draw: st.DrawFn) -> tuple[list[PendingRow], Students]:
    """Draw a chunk of rows of different students, and the enrolled students."""
    enrolled = draw(ENROLLED)
    rows: list[PendingRow] = []
    for pk in draw(st.lists(PKS, unique=True)):
        line, version = len(rows) + 2, draw(st.integers(0, 1))
        if draw(st.booleans()):
            row = simple(line, student(pk), GRADE=draw(st.sampled_from("45")))
        else:
            row = pending(line, student(pk), **draw(CHANGES))
        rows.append(row._replace(student_version=version))
    for values in draw(st.lists(NEWCOMERS, max_size=3)):
        rows.append(pending(len(rows) + 2, None, **values))
    return draw(st.permutations(rows)), enrolled


@given(chunks())
def test_every_row_has_one_outcome(chunk: tuple[list[PendingRow], Students]) -> None:
    rows, enrolled = chunk
    made = plan(rows, *enrolled.values())
    simple_students = [pk for changes in made.rows.simple_changes.values() for pk in changes]
    simple_lines = [row.line for row in rows if row.student_id in simple_students]
    lines = [*simple_lines, *made.changes, *made.new_students, *rejected(made)]
    assert sorted(line or 0 for line in lines) == sorted(row.line for row in rows)
    assert sum(made.outcome_counts().values()) == len(rows)


@given(chunks())
def test_afterward_no_two_students_have_the_same_key(
    chunk: tuple[list[PendingRow], Students],
) -> None:
    rows, enrolled = chunk
    made = plan(rows, *enrolled.values())
    values = {pk: record.values for pk, record in enrolled.items()}
    values |= {
        change.student.pk: {**change.student.values, **change.new}
        for change in made.changes.values()
    }
    everybody = [*values.values(), *(newcomer.values for newcomer in made.new_students.values())]
    for column in ("STUDENT_ID", "USERNAME"):
        keys = [values[column] for values in everybody if values.get(column)]
        assert len(keys) == len(set(keys))


@given(chunks())
def test_only_rows_that_claim_a_key_or_have_no_student_are_rejected(
    chunk: tuple[list[PendingRow], Students],
) -> None:
    rows, enrolled = chunk
    chunk_rows = ChunkRows.split(
        rows, {pk: record.version for pk, record in enrolled.items()}, SCHOOLS
    )
    claiming = claim_keys(chunk_rows, enrolled)
    assert set(rejected(plan(rows, *enrolled.values()))) <= {*claiming, *chunk_rows.gone}


@given(chunks())
def test_if_nobody_holds_a_key_only_rows_that_claim_the_same_key_clash(
    chunk: tuple[list[PendingRow], Students],
) -> None:
    rows, enrolled = chunk
    chunk_rows = ChunkRows.split(
        rows, {pk: record.version for pk, record in enrolled.items()}, SCHOOLS
    )
    nobody: Holders = {"STUDENT_ID": {}, "USERNAME": {}}
    claims = claim_keys(chunk_rows, enrolled)
    made = ChunkPlan.build(chunk_rows, enrolled, claims, nobody)
    for line, column in rejected(made).items():
        if line in chunk_rows.gone or line is None or column is None:
            continue
        key = claims[line][column]
        assert any(claims[other].get(column) == key for other in claims if other < line)
