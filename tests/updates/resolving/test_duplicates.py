"""Conflicts between rows: duplicates of the same student."""

import pytest

from rollbook.districts.models import District
from rollbook.updates.state_machine import Mode
from tests.updates import night
from tests.updates.night import (
    a_class,
    counts,
    dump,
    enroll,
    last,
    run,
    stored_hints,
    stored_problems,
    students,
)

pytestmark = pytest.mark.usefixtures("small_chunks")


@pytest.fixture(scope="module")
def enrolled(maple_once: District) -> None:
    enroll(maple_once, a_class(4))
    enroll(maple_once, "USERNAME,FIRST_NAME,LAST_NAME,DOB\nu004,Ann004,Lee004,2012-05-13")


@pytest.fixture
def school(enrolled: None, maple: District) -> District:
    """Return a district with s000 to s004, of whom the last has no STUDENT_ID."""
    return maple


@pytest.mark.parametrize(
    ("rows", "expected_counts", "codes"),
    [
        ("s000,,,,5|s000,,,,5", {"updated": 1, "unchanged": 1}, {3: ["duplicate_row"]}),
        ("s000,,,,4|s000,,,,4", {"unchanged": 2}, {3: ["duplicate_row"]}),
        (
            "s000,,,,4|s000,,,,04|s000,,,,4th",
            {"unchanged": 3},
            {3: ["duplicate_row"], 4: ["duplicate_row"]},
        ),
        ("s000,,,,5|s000,,,,6", {"rejected": 2}, 2),
        ("s000,,,,4|s000,,,,5", {"rejected": 2}, 2),
        ("s000,,,,5|s000,,,,4", {"rejected": 2}, 2),
        ("s000,,,,5|s000,,,,5|s000,,,,6", {"rejected": 3}, 3),
        (
            "s000,,,,5|,Ann000,Lee000,2012-05-13,5",
            {"updated": 1, "unchanged": 1},
            {3: ["duplicate_row"]},
        ),
        (
            "s000,,,,5|s000,,,,|s000,Ann000,,,",
            {"updated": 1, "unchanged": 2},
            {3: ["duplicate_row"], 4: ["duplicate_row"]},
        ),
        ("s000,,,,|s000,,,,5", {"updated": 1, "unchanged": 1}, {3: ["duplicate_row"]}),
        ("s000,,,,5|s000,,,,|s000,,,,6", {"rejected": 3}, 3),
        ("s000,,,,4|,Ann000,Lee000,2012-05-13,5", {"rejected": 2}, 2),
        (",ann000,LEE000,5/13/2012,5|,Ann000,Lee000,2012-05-13,5", {"rejected": 2}, 2),
        (
            ",Ann000,Lee000,5/13/2012,5|,Ann000,Lee000,2012-05-13,5",
            {"updated": 1, "unchanged": 1},
            {3: ["duplicate_row"]},
        ),
        ("s000,,,,5|s001,,,,5|s000,,,,5", {"updated": 2, "unchanged": 1}, {4: ["duplicate_row"]}),
    ],
)
def test_equal_rows_of_a_student_count_once_and_different_ones_are_rejected(
    school: District, rows: str, expected_counts: dict[str, int], codes: dict[int, list[str]] | int
) -> None:
    before = dump(school)
    result = run(school, "STUDENT_ID,FIRST_NAME,LAST_NAME,DOB,GRADE\n" + rows.replace("|", "\n"))
    assert counts(result) == expected_counts
    if isinstance(codes, int):
        codes = {line: ["conflicting_duplicate"] for line in range(2, 2 + codes)}
        assert dump(school) == before
    assert night.problems(last(school)) == codes


def test_a_conflict_lists_the_other_lines(school: District) -> None:
    run(school, "STUDENT_ID,GRADE\n" + "".join(f"s000,{grade}\n" for grade in range(5, 12)))
    hints = stored_hints(last(school))
    assert hints[2] == (
        "GRADE differs; compare it with lines 3, 4, 5, 6, 7 and more, and send only the correct row"
    )
    run(school, "STUDENT_ID,GRADE\ns000,5\ns001,5\ns000,6")
    hints = stored_hints(last(school))
    assert hints == {
        2: "GRADE differs; compare it with line 4, and send only the correct row",
        4: "GRADE differs; compare it with line 2, and send only the correct row",
    }


def test_a_conflict_names_the_columns_that_differ_but_no_values(school: District) -> None:
    run(
        school,
        "STUDENT_ID,FIRST_NAME,PASSWORD,GRADE\ns000,Ann000,pass1234,5\ns000,Anna,pass5678,5",
    )
    for problem in stored_problems(last(school)):
        assert (problem.column, problem.found) == ("PASSWORD", "")
        assert problem.hint.startswith("PASSWORD and FIRST_NAME differ; compare it with line")


def test_a_row_with_the_name_of_a_student_but_another_id_is_rejected_alone(
    school: District,
) -> None:
    header = "STUDENT_ID,FIRST_NAME,LAST_NAME,DOB,GRADE\n"
    result = run(
        school, f"{header}s000,Ann000,Lee000,2012-05-13,5\nother,Ann000,Lee000,2012-05-13,6"
    )
    assert counts(result) == {"updated": 1, "rejected": 1}
    assert night.problems(last(school)) == {3: ["student_id_conflict"]}


def test_a_row_in_conflict_with_a_rejected_one_is_rejected_too(school: District) -> None:
    assert counts(run(school, "STUDENT_ID,GRADE\ns000,5\ns000,15")) == {"rejected": 2}
    assert night.problems(last(school)) == {2: ["conflicting_duplicate"], 3: ["bad_value"]}


@pytest.mark.parametrize(
    ("rows", "expected_counts", "codes"),
    [
        (
            "n1,Zoe,Fox,2012-01-01,4|n1,Zoe,Fox,2012-01-01,4",
            {"added": 1, "unchanged": 1},
            {3: ["duplicate_row"]},
        ),
        ("n1,Zoe,Fox,2012-01-01,4|n1,Zoe,Fox,2012-01-01,5", {"rejected": 2}, 2),
        (
            ",Zoe,Fox,2012-01-01,4|,Zoe,Fox,1/1/2012,4",
            {"added": 1, "unchanged": 1},
            {3: ["duplicate_row"]},
        ),
        (",Zoe,Fox,2012-01-01,4|,Zoe,Fox,2012-01-01,5", {"rejected": 2}, 2),
        (
            "n1,Zoe,Fox,2012-01-01,4|,Zoe,Fox,2012-01-01,4",
            {"added": 1, "unchanged": 1},
            {3: ["duplicate_row"]},
        ),
        (
            ",Zoe,Fox,2012-01-01,4|n1,Zoe,Fox,2012-01-01,4",
            {"added": 1, "unchanged": 1},
            {3: ["duplicate_row"]},
        ),
        ("n1,Zoe,Fox,2012-01-01,4|,Zoe,Fox,2012-01-01,5", {"rejected": 2}, 2),
        (
            "n1,Zoe,Fox,2012-01-01,|n1,,,,4|,Zoe,Fox,2012-01-01,",
            {"added": 1, "unchanged": 2},
            {3: ["duplicate_row"], 4: ["duplicate_row"]},
        ),
        (
            "n1,Zoe,Fox,2012-01-01,4|n2,Zoe,Fox,2012-01-01,4",
            {"added": 2},
            {2: ["possible_duplicate"], 3: ["possible_duplicate"]},
        ),
        ("n1,Zoe,Fox,2012-01-01,4|n1,Bob,Kim,2012-01-01,4", {"rejected": 2}, 2),
    ],
)
def test_a_new_student_counts_once_too(
    school: District, rows: str, expected_counts: dict[str, int], codes: dict[int, list[str]] | int
) -> None:
    before = students(school)
    result = run(
        school, "STUDENT_ID,FIRST_NAME,LAST_NAME,DOB,GRADE\n" + rows.replace("|", "\n"), Mode.ADD
    )
    assert counts(result) == expected_counts
    if isinstance(codes, int):
        codes = {line: ["conflicting_duplicate"] for line in range(2, 2 + codes)}
        assert students(school) == before
    assert night.problems(last(school)) == codes
