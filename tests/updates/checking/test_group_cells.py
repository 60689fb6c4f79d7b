"""GROUPS cells in which an & could be part of a name."""

import pytest

from rollbook.districts.models import District
from rollbook.students.models import Group
from rollbook.updates.state_machine import Mode
from tests.updates.night import (
    column_of,
    counts,
    enroll,
    history,
    last,
    problems,
    run,
    stored_problems,
    values_of,
)

pytestmark = pytest.mark.django_db
STUDENTS = """STUDENT_ID,FIRST_NAME,LAST_NAME,DOB,SCHOOL_ID,GROUPS
1,Ann,Lee,2012-05-13,100,Blue
2,Bob,Lee,2012-05-13,200,
"""


@pytest.fixture(scope="module")
def enrolled(maple_once: District) -> None:
    enroll(maple_once, STUDENTS)


@pytest.fixture
def school(enrolled: None, maple: District) -> District:
    return maple


def groups(district: District) -> set[str]:
    return {group.name for group in Group.objects.filter(school__district=district)}


@pytest.mark.parametrize("cell", ["Arts & Crafts", "R&D", "Arts&Crafts"])
def test_an_ampersand_between_unknown_names_leaves_the_groups_unchanged(
    school: District, cell: str
) -> None:
    run(school, f"STUDENT_ID,GRADE,GROUPS\n1,5,{cell}")
    assert problems(last(school)) == {2: ["ambiguous_groups"]}
    assert values_of(school, "1", "GRADE", "GROUPS") == ("5", "Blue")
    assert groups(school) == {"Blue", "Default"}


def test_html_codes_leave_the_groups_unchanged(school: District) -> None:
    run(school, "STUDENT_ID,GRADE,GROUPS\n1,5,Arts &amp; Crafts")
    assert problems(last(school)) == {2: ["value_kept"]}
    assert values_of(school, "1", "GRADE", "GROUPS") == ("5", "Blue")


@pytest.mark.parametrize(
    ("cell", "stored"),
    [
        ("Arts && Crafts", "Arts && Crafts"),
        ("R&&D&Blue", "Blue&R&&D"),
        ("Arts && Crafts;R&&D", "Arts && Crafts&R&&D"),
        ("a;b&", "a;b&"),
        ("a|b&Blue", "a|b&Blue"),
    ],
)
def test_names_with_separators_are_stored_and_read_back_unchanged(
    school: District, cell: str, stored: str
) -> None:
    run(school, f"STUDENT_ID,GROUPS\n1,{cell}")
    assert values_of(school, "1", "GROUPS") == (stored,)
    assert history(school, "1")[1:] == [("GROUPS", "Blue", stored)]
    assert counts(run(school, f"STUDENT_ID,GROUPS\n1,{stored}")) == {"unchanged": 1}
    assert problems(last(school)) == {}


def test_a_list_with_a_known_name_adds_the_others_with_a_warning(school: District) -> None:
    run(school, "STUDENT_ID,GROUPS\n1,Blue&Gold&Red\n2,Gold&Blue")
    stored = stored_problems(last(school))
    assert [(each.line, each.code, each.found) for each in stored] == [
        (2, "new_groups", "Gold, Red"),
        (3, "new_groups", "Blue, Gold"),
    ]
    assert column_of(school, "GROUPS") == {"1": "Blue&Gold&Red", "2": "Blue&Gold"}
    run(school, "STUDENT_ID,GROUPS\n1,Gold&Red\n2,Gold")
    assert problems(last(school)) == {}


def test_groups_of_new_students_are_added_with_one_warning(school: District) -> None:
    header = "STUDENT_ID,FIRST_NAME,LAST_NAME,DOB,SCHOOL_ID,GROUPS"
    rows = "\n3,Cleo,Fox,2012-05-13,100,Band&Chess\n4,Dan,Fox,2012-05-13,100,Band&Chess"
    run(school, header + rows, Mode.ADD)
    assert problems(last(school)) == {2: ["new_groups"]}
    assert values_of(school, "4", "GROUPS") == ("Band&Chess",)


def test_groups_joined_by_another_separator_are_added(school: District) -> None:
    run(school, "STUDENT_ID,GROUPS\n1,Band;Chess")
    assert problems(last(school)) == {2: ["list_separator"]}
    assert values_of(school, "1", "GROUPS") == ("Band&Chess",)


def test_a_rejected_row_reports_no_groups(school: District) -> None:
    run(school, "STUDENT_ID,GRADE,GROUPS\n1,99,Blue&Gold\n9,5,Blue&Gold")
    assert problems(last(school)) == {2: ["bad_value"], 3: ["unknown_student"]}
