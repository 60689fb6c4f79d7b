"""What rows refer to: schools, and students who are inactive."""

import pytest

from rollbook.districts.models import District, School
from rollbook.updates.reporting.report import problems as all_problems
from rollbook.updates.state_machine import Mode
from tests.updates.night import (
    a_class,
    counts,
    enroll,
    history,
    last,
    problems,
    run,
    stored_problems,
    values_of,
)


@pytest.fixture(scope="module")
def enrolled(maple_once: District) -> None:
    enroll(maple_once, a_class(4))
    run(maple_once, "STUDENT_ID,STATUS\ns003,inactive")


@pytest.fixture
def school(enrolled: None, maple: District) -> District:
    """Return a district with s000 to s003, of whom s003 is inactive."""
    return maple


# Schools


@pytest.mark.parametrize(
    ("sent", "hint"),
    [
        ("42", "0042 exists: did a spreadsheet drop the zeros?"),
        ("00042", "0042 exists: did a spreadsheet drop the zeros?"),
        ("c-7", "C-7 exists: case matters in IDs, so write it like that"),
        ("0", ""),
        ("7", ""),
    ],
)
def test_a_school_without_its_zeros_or_in_other_case_gets_a_hint(
    school: District, sent: str, hint: str
) -> None:
    for organization_id in ("0042", "C-7"):
        School.objects.create(district=school, organization_id=organization_id, name="Birch")
    assert counts(run(school, f"STUDENT_ID,SCHOOL_ID\ns000,{sent}")) == {"rejected": 1}
    (problem,) = stored_problems(last(school))
    assert (problem.code, problem.column, problem.found) == ("unknown_school", "SCHOOL_ID", sent)
    assert problem.hint.startswith(hint)
    assert bool(problem.hint) is bool(hint)


@pytest.mark.statement("S21")
def test_schools_of_another_district_are_no_hints(school: District, cedar: District) -> None:
    School.objects.create(district=cedar, organization_id="0042", name="Birch")
    run(school, "STUDENT_ID,SCHOOL_ID\ns000,42")
    assert stored_problems(last(school))[0].hint == ""


# Inactive students


def test_a_row_of_an_inactive_student_says_so_and_is_applied(school: District) -> None:
    result = run(school, "STUDENT_ID,GRADE,SCHOOL_ID\ns003,9,200")
    assert counts(result) == {"updated": 1}
    assert values_of(school, "s003", "GRADE", "SCHOOL_ID", "STATUS") == ("9", "200", "inactive")
    (problem,) = stored_problems(last(school))
    assert (problem.code, problem.column, problem.found) == ("inactive_student", "STATUS", "s003")
    (message,) = [problem.message for problem in all_problems(last(school))]
    assert message.startswith('The student "s003" is inactive. Write STATUS=active')


@pytest.mark.parametrize(
    ("file", "codes"),
    [
        ("STUDENT_ID\ns003", {2: ["inactive_student"]}),
        ("STUDENT_ID,GRADE\ns003,4", {2: ["inactive_student"]}),
        ("STUDENT_ID,STATUS\ns003,", {2: ["inactive_student"]}),
        ("USERNAME,GRADE\nu003,5", {2: ["inactive_student"]}),
        ("FIRST_NAME,LAST_NAME,DOB,GRADE\nAnn003,Lee003,2012-05-13,5", {2: ["inactive_student"]}),
        ("STUDENT_ID,STATUS\ns003,inactive", {}),
        ("STUDENT_ID,STATUS\ns003,active", {}),
        ("STUDENT_ID,GRADE\ns000,5", {}),
        ("STUDENT_ID,GRADE\ns003,15", {2: ["bad_value"]}),
    ],
)
@pytest.mark.parametrize("mode", [Mode.UPDATE, Mode.ADD])
def test_only_a_row_that_says_nothing_of_the_status_warns(
    school: District, file: str, codes: dict[int, list[str]], mode: Mode
) -> None:
    run(school, file, mode)
    assert problems(last(school)) == codes


def test_every_file_warns_again_until_it_says_what_is_right(school: District) -> None:
    file = a_class(4)
    for _ in range(3):
        assert counts(run(school, file)) == {"unchanged": 4}
        assert problems(last(school)) == {5: ["inactive_student"]}
    run(school, "STUDENT_ID,STATUS\ns003,active")
    run(school, file)
    assert problems(last(school)) == {}


@pytest.fixture
def reactivating(school: District) -> District:
    """Return the school, whose district reactivates inactive students."""
    District.objects.filter(pk=school.pk).update(reactivates_students=True)
    school.refresh_from_db()
    return school


@pytest.mark.parametrize(
    ("file", "status"),
    [
        ("STUDENT_ID\ns003", "active"),
        ("STUDENT_ID,GRADE\ns003,4", "active"),
        ("STUDENT_ID,GRADE,STATUS\ns003,5,", "active"),
        ("STUDENT_ID,STATUS\ns003,inactive", "inactive"),
        ("STUDENT_ID,STATUS\ns003,gone", "inactive"),
        ("STUDENT_ID,GRADE\ns003,15", "inactive"),
    ],
)
def test_a_district_may_reactivate_inactive_students(
    reactivating: District, file: str, status: str
) -> None:
    run(reactivating, file)
    assert values_of(reactivating, "s003", "STATUS") == (status,)
    if status == "active":
        assert ("STATUS", "inactive", "active") in history(reactivating, "s003")
        assert problems(last(reactivating)) == {}
        assert counts(run(reactivating, file)) == {"unchanged": 1}


def test_turning_on_the_setting_reactivates_with_the_next_file(school: District) -> None:
    file = a_class(4)
    run(school, file)
    District.objects.filter(pk=school.pk).update(reactivates_students=True)
    school.refresh_from_db()
    assert counts(run(school, file)) == {"updated": 1, "unchanged": 3}
    assert values_of(school, "s003", "STATUS") == ("active",)


@pytest.mark.parametrize(
    ("rows", "status"),
    [
        ("s003,5,|s003,,x", "active"),
        ("s003,5,|s003,4,x", "inactive"),
    ],
)
def test_rows_of_an_inactive_student_are_merged_and_reactivate(
    reactivating: District, rows: str, status: str
) -> None:
    run(reactivating, "STUDENT_ID,GRADE,GENDER\n" + rows.replace("|", "\n"))
    assert values_of(reactivating, "s003", "STATUS") == (status,)


def test_merged_rows_of_which_one_says_inactive_do_not_reactivate(reactivating: District) -> None:
    run(reactivating, "STUDENT_ID,GRADE,STATUS\ns003,5,\ns003,,inactive")
    assert values_of(reactivating, "s003", "GRADE", "STATUS") == ("5", "inactive")
