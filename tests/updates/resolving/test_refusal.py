"""A file with exchanged names, or with a second header, is refused after the check."""

from typing import Any

import pytest
from django.http import QueryDict
from django.utils import timezone

from rollbook.accounts.models import Member
from rollbook.districts.models import District
from rollbook.studentfile.problems.problem import Problem
from rollbook.updates import mails, retention, runner
from rollbook.updates.cancel import cancel
from rollbook.updates.models import ResultMail, UpdateJob
from rollbook.updates.resolving import refusal
from rollbook.updates.state_machine import Mode, State
from rollbook.web.pages.updates import tabs
from tests.updates import night
from tests.updates.night import (
    counts,
    dump,
    enroll,
    finish,
    last,
    report_of,
    run,
    send,
    send_bytes,
)

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


@pytest.fixture
def being_refused(school: District, monkeypatch: pytest.MonkeyPatch) -> UpdateJob:
    """An update of which some results are removed already."""
    monkeypatch.setattr(refusal, "ROWS_PER_STEP", 1)
    update = send(school, f"STUDENT_ID,GRADE\n{CHANGES}\nGRADE,STUDENT_ID\n{CHANGES}")
    for _ in runner.run_steps(update.pk):
        update.refresh_from_db()
        if update.details_hidden_at and update.stagedrow_set.count() == 5:
            return update
    raise AssertionError("its results were not removed in steps")


CHANGES = "00101,9\n00102,9\n00103,99"


def test_nothing_of_a_file_is_shown_while_it_is_being_refused(being_refused: UpdateJob) -> None:
    current = report_of(being_refused)
    table = tabs.row_table(being_refused, current, QueryDict(), 1)
    assert (current.state, table.page) == (State.CHECKING, None)
    assert {group.lines for group in current.groups} == {()}


def test_another_run_continues_to_refuse_the_file(being_refused: UpdateJob) -> None:
    result = finish(being_refused)
    assert result.refusal == Problem("second_header", 5)
    assert night.problems(being_refused) == {5: ["second_header"]}
    assert not being_refused.stagedrow_set.exists()
    assert not being_refused.checkedrange_set.exists()
    assert being_refused.details_hidden_at is None


def test_retention_leaves_a_file_alone_that_is_being_refused(being_refused: UpdateJob) -> None:
    District.objects.update(suspended_at=timezone.now())
    retention.remove_expired(timezone.now())
    assert being_refused.stagedrow_set.count() == 5
    District.objects.update(suspended_at=None)
    assert finish(being_refused).state is State.REFUSED


def test_if_it_is_canceled_while_it_is_being_refused_retention_removes_the_rest(
    being_refused: UpdateJob,
) -> None:
    assert cancel(being_refused.district).is_canceled
    result = report_of(being_refused)
    assert (result.state, result.changed) == (State.CANCELED, 0)
    assert tabs.row_table(being_refused, result, QueryDict(), 1).page is None
    while retention.remove_expired(timezone.now()):
        pass
    assert not being_refused.stagedrow_set.exists()
    assert not being_refused.problem_set.exists()


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
