"""A file in which most first and last names are exchanged is refused after the check."""

from typing import Any

import pytest

from rollbook.accounts.models import Member
from rollbook.districts.models import District
from rollbook.updates import mails
from rollbook.updates.models import ResultMail
from rollbook.updates.state_machine import Mode, State
from tests.updates import night
from tests.updates.night import counts, dump, enroll, finish, last, report_of, run, send_bytes

CLASS = """
    STUDENT_ID,USERNAME,FIRST_NAME,LAST_NAME,DOB
    00101,abrook,Ana,Brook,2014-05-13
    00102,jnunez,José,Núñez,2013-11-02
    00103,mtran,Mia,Tran,2013-06-21
    00104,oquill,Otto,Quill,2013-03-04
"""


@pytest.fixture(scope="module")
def enrolled(maple_once: District) -> None:
    enroll(maple_once, CLASS)


@pytest.fixture
def school(enrolled: None, maple: District) -> District:
    return maple


MOST = {
    "all rows": "00101,Brook,Ana\n00102,Núñez,José\n00103,Tran,Mia",
    "most rows": "00101,Brook,Ana\n00102,NUNEZ,jose\n00103,Mia,Tran",
    "an invalid row": "00101,Brook,Ana\n00102,Núñez,José\n00104,,5",
}


@pytest.mark.parametrize("rows", MOST.values(), ids=MOST)
@pytest.mark.parametrize("mode", Mode)
def test_a_file_with_swapped_names_is_refused(school: District, rows: str, mode: Mode) -> None:
    before = dump(school)
    result = run(school, f"STUDENT_ID,FIRST_NAME,LAST_NAME\n{rows}", mode)
    assert result.state is State.REFUSED
    assert result.refusal
    assert (result.refusal.code, result.refusal.line) == ("names_swapped", 2)
    assert counts(result) == {}
    assert night.problems(last(school)) == {2: ["names_swapped"]}
    assert list(last(school).problem_counts) == ["names_swapped"]
    assert not last(school).stagedrow_set.exists()
    assert dump(school) == before


@pytest.mark.parametrize("mode", Mode)
def test_a_file_is_refused_whose_columns_have_other_places_from_the_middle_on(
    school: District, mode: Mode
) -> None:
    before = dump(school)
    header, other = "STUDENT_ID,GENDER,RACE,TITLE_1,ELL", "Student ID,Gender,Race,ELL,Title 1"
    text = f"{header}\n00101,f,WH,y,n\n{other}\n00102,m,WH,y,n\n{other}\n"
    result = finish(send_bytes(school, text.encode(), mode).update)
    assert result.state is State.REFUSED
    assert result.refusal
    assert (result.refusal.code, result.refusal.line) == ("second_header", 3)
    assert list(last(school).problem_counts) == ["second_header"]
    assert not last(school).stagedrow_set.exists()
    assert dump(school) == before


@pytest.mark.parametrize("mode", Mode)
def test_a_file_is_refused_whose_second_header_has_valid_values_only(
    school: District, mode: Mode
) -> None:
    before = dump(school)
    text = "STUDENT_ID,USERNAME,PASSWORD\n00101,anab,x12345\nSTUDENT_ID,PASSWORD,USERNAME\n"
    update = send_bytes(school, f"{text}00102,y12345,jnunez\n".encode(), mode).update
    assert finish(update).state is State.REFUSED
    assert night.problems(update) == {3: ["second_header"]}
    assert dump(school) == before


def test_usernames_identify_the_students_too(school: District) -> None:
    result = run(school, "USERNAME,FIRST_NAME,LAST_NAME\nabrook,Brook,Ana\nmtran,Tran,Mia")
    assert result.state is State.REFUSED


@pytest.mark.parametrize("mode", Mode)
def test_dates_of_birth_identify_the_students_too(school: District, mode: Mode) -> None:
    before = dump(school)
    result = run(
        school,
        "FIRST_NAME,LAST_NAME,DOB\nBrook,Ana,2014-05-13\nTran,Mia,2013-06-21\nZoe,Fox,2013-01-01",
        mode,
    )
    assert result.state is State.REFUSED
    assert dump(school) == before


@pytest.mark.parametrize(
    "rows",
    [
        "00101,Brook,Ana\n00102,José,Núñez",
        "00101,Brook,Ana",
        "00101,Brook,Ana\n00102,Núñez,José\n00103,Mia,Tran\n00104,Otto,Quill",
    ],
)
def test_fewer_rows_are_only_rejected(school: District, rows: str) -> None:
    before = dump(school)
    result = run(school, f"STUDENT_ID,FIRST_NAME,LAST_NAME\n{rows}")
    assert result.state is State.COMPLETED
    exchanged = rows.count("Brook,Ana") + rows.count("Núñez,José")
    assert result.rejected == exchanged
    assert {group.code for group in result.groups} == {"names_exchanged"}
    assert dump(school) == before


def test_one_new_student_with_the_names_of_another_exchanged_gets_warnings(
    school: District,
) -> None:
    result = run(school, "STUDENT_ID,FIRST_NAME,LAST_NAME,DOB\nn1,Brook,Ana,2014-05-13", Mode.ADD)
    assert counts(result) == {"added": 1}
    assert night.problems(last(school)) == {2: ["names_may_be_exchanged", "possible_duplicate"]}


def test_the_refusal_is_sent_by_email_and_shown(
    school: District, manager: Member, django_capture_on_commit_callbacks: Any
) -> None:
    run(school, "STUDENT_ID,FIRST_NAME,LAST_NAME\n00101,Brook,Ana\n00103,Tran,Mia", member=manager)
    mails.queue_result_mails()
    mail = ResultMail.objects.filter(update=last(school)).first()
    assert mail
    assert "First and last names are exchanged" in str(mails.message(mail).body)
    assert report_of(last(school)).ended
