"""The report that the upload commands, emails, pages and the CLI show."""

import pytest
from pytest_django import DjangoAssertNumQueries

from rollbook.accounts.models import Member
from rollbook.districts.models import District
from rollbook.studentfile.problems.problem import Severity
from rollbook.updates.cancel import cancel
from rollbook.updates.models import StagedRow
from rollbook.updates.reporting import report
from rollbook.updates.state_machine import Mode, Outcome, State
from tests.updates.night import (
    COUNTS,
    a_class,
    applying,
    counts,
    enroll,
    finish,
    last,
    report_of,
    run,
    send,
    send_bytes,
)

pytestmark = pytest.mark.usefixtures("small_chunks")


@pytest.fixture(scope="module")
def enrolled(maple_once: District) -> None:
    enroll(maple_once, a_class(6))


@pytest.fixture
def school(enrolled: None, maple: District) -> District:
    return maple


def test_the_counts_are_those_of_the_rows(school: District) -> None:
    result = run(
        school,
        """
        STUDENT_ID,USERNAME,FIRST_NAME,LAST_NAME,DOB,GRADE
        s000,,,,,5
        s001,,,,,4
        s002,,,,,15
        n1,n1,Zoe,Fox,2012-01-01,4
        n2,n1,Zed,Fox,2012-01-01,4
        s003,,,,,5
        """,
        Mode.ADD,
    )
    assert [getattr(result, name) for name in COUNTS] == [2, 1, 1, 2, 0]
    rows = StagedRow.objects.with_outcome().filter(update=last(school))
    outcomes = [row.effective_outcome for row in rows]
    assert {outcome: outcomes.count(outcome) for outcome in Outcome} == {
        "updated": 2,
        "added": 1,
        "unchanged": 0,
        "rejected": 2,
        "left_out": 0,
        "deactivated": 0,
    }
    assert (result.with_errors, result.ended, result.rows, result.read) == (True, True, 6, 6)


def test_a_report_has_the_starter_the_options_and_the_file(
    school: District, manager: Member
) -> None:
    update = send(school, a_class(6), member=manager, source="curl 8.5", file_name="from sis.csv")
    result = finish(update)
    assert (result.number, result.district, result.slug, result.time_zone) == (
        2,
        "Maple USD",
        "maple-usd",
        "America/Chicago",
    )
    assert (result.starter, result.source, result.file_name) == (
        manager,
        "curl 8.5",
        "from sis.csv",
    )
    assert (result.mode, result.state, result.encoding) == (Mode.UPDATE, State.COMPLETED, "utf-8")
    assert (result.file_size, result.file_digest) == (update.file_size, update.file_digest)
    assert result.started_at is not None
    assert result.ended_at is not None
    assert result.received_at <= result.started_at <= result.ended_at
    assert result.refusal is None


def test_problems_are_grouped_errors_first_the_most_frequent_first(school: District) -> None:
    rows = [f"x{n:02},5" for n in range(12)] + ["s000,15", "s001,15", "s002 ,5"]
    groups = run(school, "STUDENT_ID,GRADE\n" + "\n".join(rows)).groups
    assert [(group.code, group.severity, group.count) for group in groups] == [
        ("unknown_student", Severity.ERROR, 12),
        ("bad_value", Severity.ERROR, 2),
        ("trimmed", Severity.WARNING, 1),
    ]
    assert groups[0].lines == tuple(range(2, 12))
    assert groups[0].title == "The student doesn't exist"


def test_a_line_is_listed_once_however_many_problems_it_has(school: District) -> None:
    groups = run(school, "STUDENT_ID,GRADE,GENDER,RACE\ns000,15,q,zz\ns001,15,f,\ns002,5,,").groups
    assert [(group.code, group.count, group.lines) for group in groups] == [
        ("bad_value", 3, (2, 3)),
        ("value_kept", 1, (2,)),
    ]
    assert report.rejected_lines(last(school)) == {"bad_value": [2, 3]}


def test_lines_of_rejected_rows_are_listed_by_code_up_to_a_thousand_rows(school: District) -> None:
    rows = (
        [f"x{n:04},5,q" for n in range(900)]
        + [f"s000,15,f{n}" for n in range(99)]
        + ["s001,,q", "s002,,q", "s003,15,q"]
    )
    run(school, "STUDENT_ID,GRADE,GENDER\n" + "\n".join(rows))
    update = last(school)
    assert report_of(update).rejected == 1002
    lines = report.rejected_lines(update)
    assert lines["bad_value"] == list(range(2, 1002))
    assert len(report.rejected_lines(update, None)["bad_value"]) == 1002
    assert report.rejected_lines(update, 3) == {"bad_value": [2, 3, 4]}


def test_all_problems_are_in_file_order(school: District) -> None:
    run(school, "STUDENT_ID,GRADE\nx1,15\nx2,5\ns000,15\nx3,5")
    assert [(problem.line, problem.code) for problem in report.problems(last(school))] == [
        (2, "bad_value"),
        (3, "unknown_student"),
        (4, "bad_value"),
        (5, "unknown_student"),
    ]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_file"),
        (b"STUDENT_ID,GRADE\n", "no_rows"),
        (b"PK\x03\x04 and so on", "archive_not_csv"),
        (b"STUDENT_ID,STUDENT_ID\n\xff,1\n", "not_utf8"),
        (b"SIS_ID,GRADE\n1,5\n", "key_column_renamed"),
    ],
)
def test_the_most_severe_of_several_problems_names_the_refusal(
    school: District, data: bytes, code: str
) -> None:
    update = send_bytes(school, data).update
    refusal = report_of(update).refusal
    assert update.state == "refused"
    assert refusal is not None
    assert refusal.code == code
    assert counts(report_of(update)) == {}


def test_a_canceled_update_counts_what_was_not_processed(school: District) -> None:
    update = send(school, a_class(6, GRADE="5"))
    applying(update, 1)
    cancel(school)
    assert counts(report_of(update)) == {"updated": 2, "not_processed": 4}


def test_the_current_update_is_the_running_one_else_the_last(
    school: District, cedar: District
) -> None:
    assert report.current_update(cedar) is None
    assert report.current_update(school) == last(school)
    first, second = send(school, a_class(1)), send(school, a_class(2))
    applying(first)
    assert report.current_update(school) == first
    finish(first)
    assert report.current_update(school) == second


def test_the_current_update_is_found_in_one_statement_since_updates_may_end_between_two(
    school: District,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_num_queries(1):
        report.current_update(school)


def test_the_updates_that_name_one_are_found_in_one_statement(
    school: District,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    update = report.current_update(school)
    assert update is not None
    with django_assert_num_queries(1):
        report.report(update)


@pytest.mark.statement("S23")
def test_updates_are_found_in_their_own_district_only(school: District, cedar: District) -> None:
    assert report.find(school, 1) == last(school)
    assert report.find(school, 2) is None
    assert report.find(cedar, 1) is None


def test_the_previous_update_is_the_last_completed_one(school: District, cedar: District) -> None:
    enroll(cedar, a_class(1))
    first = last(school)
    canceled = send(school, a_class(1))
    cancel(school)
    send_bytes(school, b"")
    update = send(school, a_class(2))
    assert report.previous(update) == first
    assert report.previous(first) is None
    assert report.previous(canceled) == first


def test_waiting_updates_are_listed_oldest_first(school: District, cedar: District) -> None:
    send(cedar, a_class(1))
    assert report.waiting_numbers(school) == []
    updates = [send(school, a_class(size)) for size in (1, 2, 3)]
    assert report.waiting_numbers(school) == [3, 4]
    applying(updates[0])
    assert report.waiting_numbers(school) == [3, 4]
    finish(updates[0])
    assert report.waiting_numbers(school) == [4]
