"""Rows are matched by STUDENT_ID, then name and date of birth, then username."""

import pytest

from rollbook.accounts.models import Member
from rollbook.districts.models import District
from rollbook.students import similar_ids
from rollbook.updates.state_machine import Mode
from tests.updates.night import (
    column_of,
    counts,
    dump,
    enroll,
    history,
    last,
    problems,
    run,
    stored_problems,
    students,
    values_of,
)

CLASS = """
    STUDENT_ID,USERNAME,FIRST_NAME,LAST_NAME,DOB
    00123,ann,Ann,Lee,2012-05-13
    00124,bob,Bob,Kim,2013-01-02
    ,cleo,Cleo,Diaz,2011-07-30
"""


@pytest.fixture(scope="module")
def enrolled(maple_once: District) -> None:
    enroll(maple_once, CLASS)


@pytest.fixture
def school(enrolled: None, maple: District) -> District:
    return maple


@pytest.mark.parametrize(
    ("row", "username"),
    [
        ("00123,,,,,8", "00123"),
        ("00123,bobby,Zoe,Lee,,8", "00123"),
        ("00123,bobby,Annie,Lee,2001-01-01,8", "00123"),
        (",,Ann,Lee,05/13/2012,8", "00123"),
        (",,ANN,  lee ,2012-05-13,8", "00123"),
        (",,Cleo,Diaz,7/30/2011,8", "cleo"),
        (",bob,,,,8", "00124"),
        (",BOB,,,,8", "00124"),
        (",bob,Robert,Kim,2013-01-02,8", "00124"),
        (",bob,Robert,Kim,,8", "00124"),
        ("00124,,Ann,Kim,2013-01-02,8", "00124"),
    ],
)
def test_a_row_matches_one_student(school: District, row: str, username: str) -> None:
    result = run(school, f"STUDENT_ID,USERNAME,FIRST_NAME,LAST_NAME,DOB,GRADE\n{row}")
    assert counts(result) == {"updated": 1}
    assert [key for key, grade in column_of(school, "GRADE").items() if grade == "8"] == [username]


@pytest.mark.parametrize(
    "name",
    ["Jos\u00e9,O'Neil", "Jose\u0301,O\u2019Neil", "JOS\u00c9,o'neil", "jose\u0301,O\u02bcNEIL"],
)
def test_case_composition_and_typography_make_no_difference(maple: District, name: str) -> None:
    enroll(maple, "FIRST_NAME,LAST_NAME,DOB,USERNAME\nJos\u00e9,O'Neil,2012-05-13,jose")
    run(maple, f"FIRST_NAME,LAST_NAME,DOB,GRADE\n{name},2012-05-13,9")
    assert values_of(maple, "jose", "GRADE") == ("9",)


def test_everything_but_the_student_id_can_be_corrected_by_it(school: District) -> None:
    run(school, "STUDENT_ID,USERNAME,FIRST_NAME,LAST_NAME,DOB\n00123,annie,Anna,Lee,2012-05-31")
    assert values_of(school, "00123", "USERNAME", "FIRST_NAME", "LAST_NAME", "DOB") == (
        "annie",
        "Anna",
        "Lee",
        "2012-05-31",
    )


@pytest.mark.parametrize("row", ["00999,,Cleo,Diaz,2011-07-30", "00999,cleo,,,"])
def test_a_student_without_a_student_id_gets_the_one_of_its_row(school: District, row: str) -> None:
    run(school, f"STUDENT_ID,USERNAME,FIRST_NAME,LAST_NAME,DOB\n{row}")
    assert values_of(school, "00999", "USERNAME") == ("cleo",)
    assert ("STUDENT_ID", "", "00999") in history(school, "00999")


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("00999,,Ann,Lee,2012-05-13", "student_id_conflict"),
        ("00123,,Zoe,Quinn,2001-01-01", "identity_mismatch"),
        ("00123,bob,,,", "username_taken"),
        ("00123,,Bob,Kim,2013-01-02", "identity_mismatch"),
        ("00123,,Bob,Kim,2012-05-13", "identity_mismatch"),
        ("00123,,Bob,Kim,", "identity_mismatch"),
        ("00123,,Bob,,", ""),
        (",bob,Zoe,Quinn,", "identity_mismatch"),
        (",bob,Ann,Lee,2012-05-13", "username_taken"),
        ("00999,bob,,,", "unknown_student"),
        (",bob,Bob,Kim,2013-01-03", "unknown_student"),
        (",nobody,,,", "unknown_student"),
        (",,Ann,Lee,2012-05-14", "unknown_student"),
        ("99999,,,,", "unknown_student"),
    ],
)
def test_contradictory_and_unmatched_rows_are_rejected(
    school: District, row: str, code: str
) -> None:
    before = dump(school)
    run(school, f"STUDENT_ID,USERNAME,FIRST_NAME,LAST_NAME,DOB\n{row}")
    assert problems(last(school)) == ({2: [code]} if code else {})
    assert (dump(school) == before) is bool(code)


def test_a_student_may_get_the_name_and_birth_date_of_another_with_a_warning(
    school: District,
) -> None:
    enroll(school, "STUDENT_ID,FIRST_NAME,LAST_NAME,DOB\n00125,Max,Lee,2012-05-13")
    result = run(school, "STUDENT_ID,FIRST_NAME\n00125,Ann")
    assert counts(result) == {"updated": 1}
    (problem,) = stored_problems(last(school))
    assert (problem.code, problem.line, problem.column) == ("possible_duplicate", 2, "LAST_NAME")
    assert problem.hint.startswith("compare the student with 00123;")


@pytest.mark.parametrize("sent", ["123", "0123", "000123"])
def test_an_id_without_its_leading_zeros_is_unknown_and_gets_a_hint(
    school: District, sent: str
) -> None:
    run(school, f"STUDENT_ID,GRADE\n{sent},8")
    (problem,) = stored_problems(last(school))
    assert (problem.code, problem.found, problem.column) == ("unknown_student", sent, "STUDENT_ID")
    assert problem.hint == (
        "00123 exists: did a spreadsheet drop the zeros? Format the column as text and export again"
    )


def test_an_id_that_is_unknown_with_any_zeros_gets_no_hint(school: District) -> None:
    run(school, "STUDENT_ID,GRADE\n777,8\n0,8\nA123,8")
    assert [problem.hint for problem in stored_problems(last(school))] == ["", "", ""]


def test_any_number_of_zeros_and_capitals_is_found(school: District) -> None:
    enroll(
        school,
        f"""
        STUDENT_ID,FIRST_NAME,LAST_NAME,DOB
        {"0" * 29}777,Gil,Hart,2012-05-13
        00A-7,Hal,Iris,2012-05-13
        """,
    )
    assert similar_ids.find(school.pk, {"777"}) == {"777": f"{'0' * 29}777"}
    assert similar_ids.find(school.pk, {"a-7", "0A-7"}) == {"a-7": "00A-7"}


def test_zeros_are_looked_for_in_the_district_only(school: District, cedar: District) -> None:
    assert similar_ids.find(school.pk, {"123", "000124", "x1"}) == {
        "123": "00123",
        "124": "00124",
    }
    assert similar_ids.find(cedar.pk, {"123", "000124"}) == {}


def test_an_inactive_student_is_found_and_stays_inactive(school: District) -> None:
    run(school, "STUDENT_ID,STATUS\n00123,inactive")
    run(school, "STUDENT_ID,GRADE\n00123,8")
    run(school, "FIRST_NAME,LAST_NAME,DOB,GENDER\nAnn,Lee,2012-05-13,x")
    run(school, "USERNAME,RACE\nann,WH")
    assert values_of(school, "00123", "STATUS", "GRADE", "GENDER", "RACE") == (
        "inactive",
        "8",
        "x",
        "WH",
    )


def test_an_inactive_student_keeps_username_and_name(school: District) -> None:
    run(school, "STUDENT_ID,STATUS\n00123,inactive")
    enroll(school, "STUDENT_ID,FIRST_NAME,LAST_NAME,DOB\n00125,Ann,Ng,2012-05-13")
    run(school, "STUDENT_ID,USERNAME,LAST_NAME\n00124,ann,\n00125,,Lee")
    assert problems(last(school)) == {2: ["username_taken"], 3: ["possible_duplicate"]}


def test_in_mode_add_unmatched_rows_add_and_the_others_update(school: District) -> None:
    result = run(
        school,
        """
        STUDENT_ID,USERNAME,FIRST_NAME,LAST_NAME,DOB
        00123,,Anna,,
        00999,zoe,Zoe,Quinn,2012-01-01
        """,
        Mode.ADD,
    )
    assert counts(result) == {"updated": 1, "added": 1}
    assert values_of(school, "00999", "FIRST_NAME", "USERNAME", "STATUS") == (
        "Zoe",
        "zoe",
        "active",
    )


def test_a_username_that_contradicts_is_no_match_in_mode_add_either(school: District) -> None:
    result = run(
        school,
        "STUDENT_ID,USERNAME,FIRST_NAME,LAST_NAME,DOB\n00999,bob,Zoe,Quinn,2012-01-01",
        Mode.ADD,
    )
    assert counts(result) == {"rejected": 1}
    assert problems(last(school)) == {2: ["username_taken"]}


@pytest.mark.statement("S21")
def test_students_of_another_district_are_unknown(school: District, cedar: District) -> None:
    before = dump(school)
    result = run(
        cedar,
        """
        STUDENT_ID,USERNAME,FIRST_NAME,LAST_NAME,DOB
        00123,,,,
        ,,Ann,Lee,2012-05-13
        ,bob,,,
        123,,,,
        """,
    )
    assert counts(result) == {"rejected": 4}
    assert {problem.code for problem in last(cedar).problem_set.all()} == {"unknown_student"}
    assert {problem.hint for problem in stored_problems(last(cedar))} == {""}
    assert dump(school) == before


def test_two_districts_may_have_the_same_student(school: District, cedar: District) -> None:
    enroll(cedar, CLASS)
    before = dump(school)
    run(cedar, "STUDENT_ID,FIRST_NAME\n00123,Anna")
    assert values_of(cedar, "00123", "FIRST_NAME") == ("Anna",)
    assert dump(school) == before


@pytest.mark.statement("S21")
def test_schools_of_another_district_are_unknown(school: District, cedar: District) -> None:
    run(school, "STUDENT_ID,SCHOOL_ID\n00123,900\n00124,901")
    assert problems(last(school)) == {2: ["unknown_school"], 3: ["unknown_school"]}
    assert values_of(school, "00123", "SCHOOL_ID") == ("100",)


@pytest.mark.statement("S21")
def test_members_of_another_district_are_unknown(
    school: District, manager: Member, neighbor: Member
) -> None:
    run(school, f"STUDENT_ID,STAFF\n00123,{manager.email}&{neighbor.email}&nobody@maple.example")
    assert problems(last(school)) == {2: ["unknown_staff", "unknown_staff"]}
    assert values_of(school, "00123", "STAFF") == (manager.email,)


def test_a_school_with_the_same_id_is_the_districts_own(school: District, cedar: District) -> None:
    enroll(cedar, CLASS)
    run(cedar, "STUDENT_ID,SCHOOL_ID\n00123,900")
    assert values_of(cedar, "00123", "SCHOOL_ID") == ("900",)
    assert set(column_of(school, "SCHOOL_ID").values()) == {"100"}


@pytest.mark.statement("S22")
@pytest.mark.parametrize(
    "column", ["ID", "PK", "DISTRICT", "DISTRICT_ID", "IS_ADMIN", "NAME_KEY", "_STATUS"]
)
def test_a_column_that_is_not_documented_changes_nothing(
    school: District, cedar: District, column: str
) -> None:
    before = dump(school)
    result = run(school, f"STUDENT_ID,{column}\n00123,1\n00124,{cedar.pk}")
    assert counts(result) == {"unchanged": 2}
    assert dump(school) == before
    assert students(cedar) == {}
