"""What is said of an update besides its counts."""

import pytest

from rollbook.districts.models import District
from rollbook.studentfile.problems.problem import Problem
from rollbook.updates.reporting.remarks import next_step, remark_lines
from rollbook.updates.reporting.state_words import result_sentence
from rollbook.updates.state_machine import State
from tests.updates.night import a_class, enroll, last, report_of, run
from tests.web.reports import a_report


@pytest.fixture
def school(maple: District) -> District:
    enroll(maple, a_class(3))
    return maple


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({}, "No action needed."),
        ({"warnings": 1}, "Check 1 warning."),
        ({"warnings": 1200}, "Check 1,200 warnings."),
        ({"ignored": ("A",)}, "1 column wasn't read: A."),
        (
            {"ignored": ("A", "B"), "warnings": 2},
            "2 columns weren't read: A and B. Check 2 warnings.",
        ),
    ],
)
def test_no_action_is_needed_only_if_there_is_nothing_to_say(
    values: dict[str, object], text: str
) -> None:
    report = a_report(State.COMPLETED, updated=1, **values)
    assert next_step(report) == text
    assert result_sentence(report).endswith(f"changed. {text}")


def test_at_most_ten_columns_are_named() -> None:
    report = a_report(State.COMPLETED, ignored=tuple(f"C{number}" for number in range(1003)))
    assert next_step(report).endswith("C8, C9 and 993 more.")


def test_a_report_has_the_ignored_columns_and_the_columns_of_problems(school: District) -> None:
    run(school, "STUDENT_ID,GRADE,GENDER,HAT,_NOTE\ns000,15,f,x,x\ns001,4,q,x,x")
    report = report_of(last(school))
    assert report.ignored == ("HAT",)
    columns = {group.code: group.columns for group in report.groups}
    assert columns["bad_value"] == ("GRADE", "GENDER")
    lines = list(remark_lines(report))
    assert lines[:2] == ["Ignored columns: HAT.", "Warnings: 1."]
    assert lines[2].startswith("bad_value: 2 errors in GRADE and GENDER, first line 2. A value")
    assert lines[3].startswith("unknown_column: 1 warning, line 1. A column isn't recognized")


def test_a_refused_file_may_have_no_header_so_no_columns_are_named(school: District) -> None:
    run(school, "Ann,Lee,2012-05-13\nBob,Kim,2012-05-13")
    assert report_of(last(school)).ignored == ()


def test_a_message_names_its_line_once() -> None:
    message = Problem("not_utf8", 17).located_message
    assert message.startswith("The file is not saved as UTF-8 (line 17). Save it as CSV UTF-8")
    hinted = Problem("header_not_found", 1, hint="remove line 1").located_message
    assert hinted == "The first line is not a header. Remove line 1"
    assert Problem("empty_file").located_message == Problem("empty_file").message
