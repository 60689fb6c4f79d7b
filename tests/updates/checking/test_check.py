"""Checks of rows: each is staged, rejected or unchanged."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import timezone

from rollbook.districts.models import District
from rollbook.studentfile.cell_rules import CellRule
from rollbook.students.models import Student
from rollbook.updates import runner
from rollbook.updates.models import FileChunk, StagedRow, UpdateJob
from rollbook.updates.receiving import files
from rollbook.updates.state_machine import Mode, State
from tests.updates.night import (
    a_class,
    applying,
    complete,
    counts,
    dump,
    enroll,
    finish,
    last,
    problems,
    report_of,
    run,
    send,
    send_bytes,
    stored_problems,
    values_of,
)

MIXED = """
    STUDENT_ID,FIRST_NAME,GRADE,SCHOOL_ID,PASSWORD
    s000,Ann000,4,100,
    s001,Anna,,,
    s002,,15,,
    s003,,,777,

    s004,,,200,
    s005,,5,,secret
    "s006",,,
    s007,,4,,
    s007,,4,,
    s008,,4,,
    s008,,5,,
    nobody,,5,,
    s009,,,,abc
"""
CAME_TO = {"updated": 3, "unchanged": 3, "rejected": 7}


@pytest.fixture(scope="module")
def enrolled(maple_once: District) -> None:
    enroll(maple_once, a_class(10))


@pytest.fixture
def school(enrolled: None, maple: District) -> District:
    return maple


@pytest.fixture
def set_time(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    return lambda moment: monkeypatch.setattr(timezone, "now", lambda: moment)


@pytest.fixture
def september(set_time: Callable[[datetime], None]) -> None:
    set_time(datetime(2026, 9, 1, 12, tzinfo=UTC))


def check_results(update: UpdateJob) -> tuple[Any, ...]:
    """Return all results of a check, which must not depend on interruptions."""
    update.refresh_from_db()
    rows = update.stagedrow_set.order_by("line").values_list(
        "line", "apply_order", "outcome", "claims_name_key"
    )
    return (
        counts(report_of(update)),
        update.rows_read,
        update.rows_staged,
        update.problem_counts,
        stored_problems(update),
        list(rows),
    )


def test_every_row_has_one_outcome(school: District) -> None:
    assert counts(run(school, MIXED)) == CAME_TO
    assert problems(last(school)) == {
        4: ["bad_value"],
        5: ["unknown_school"],
        9: ["too_few_cells"],
        11: ["duplicate_row"],
        12: ["conflicting_duplicate"],
        13: ["conflicting_duplicate"],
        14: ["unknown_student"],
        15: ["weak_password"],
    }


@pytest.mark.usefixtures("small_batches")
def test_a_check_that_is_interrupted_between_batches_resumes_there(
    maple: District, cedar: District
) -> None:
    file = MIXED.replace("200", "100")
    for district in (maple, cedar):
        enroll(district, a_class(10))
    whole, dropped = send(maple, file), send(cedar, file)
    applying(whole)
    begun = 0
    while report_of(dropped).read < dropped.rows:
        next(runner.run_steps(dropped.pk))
        begun += 1
    assert begun == 7
    applying(dropped)
    assert check_results(whole) == check_results(dropped)
    assert counts(finish(whole)) == counts(finish(dropped))
    assert dump(maple) == dump(cedar)


@pytest.mark.usefixtures("small_batches")
def test_a_student_edited_during_the_check_stays_so_until_the_next_file(
    school: District,
) -> None:
    update = send(school, a_class(10), Mode.ADD)
    steps = runner.run_steps(update.pk)
    next(steps)
    student = Student.objects.get(district=school, student_id="s009")
    Student.objects.filter(pk=student.pk).update(grade="9", version=1)
    for _ in steps:
        pass
    assert counts(report_of(update)) == {"unchanged": 10}
    assert values_of(school, "s009", "GRADE") == ("9",)
    assert counts(run(school, a_class(10), Mode.ADD)) == {"updated": 1, "unchanged": 9}
    assert values_of(school, "s009", "GRADE") == ("4",)


@pytest.mark.usefixtures("small_batches", "small_chunks")
def test_the_counts_add_up_after_every_step(school: District) -> None:
    update = send(school, MIXED)
    steps = 0
    for _ in runner.run_steps(update.pk):
        steps += 1
        now = report_of(update)
        ended = now.updated + now.added + now.unchanged + now.rejected
        assert now.rows == ended + now.not_processed
        if now.state is State.CHECKING:
            assert now.read == now.staged + now.unchanged + now.rejected
            assert (now.updated, now.added) == (0, 0)
        outcomes = [
            row.effective_outcome for row in StagedRow.objects.filter(update=update).with_outcome()
        ]
        assert outcomes.count("rejected") == now.rejected
        assert outcomes.count(None) == now.staged - now.updated - now.added
    assert steps > 10
    assert counts(report_of(update)) == CAME_TO


def poison(monkeypatch: pytest.MonkeyPatch, poison: str) -> None:
    """Let the rules of all columns fail for one text."""
    rule = CellRule.__missing__

    def poisoned(self: CellRule, text: str) -> Any:
        if text == poison:
            raise ZeroDivisionError("canary")
        return rule(self, text)

    monkeypatch.setattr(CellRule, "__missing__", poisoned)


@pytest.mark.usefixtures("small_batches")
def test_a_row_that_triggers_a_bug_in_a_rule_is_rejected_alone(
    school: District, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    poison(monkeypatch, "POISON")
    result = run(
        school, "STUDENT_ID,FIRST_NAME\ns000,Anna\ns001,POISON\ns002,Annie\nPOISON,x\ns003,Andy"
    )
    assert counts(result) == {"updated": 3, "rejected": 2}
    assert problems(last(school)) == {3: ["internal_error"], 5: ["internal_error"]}
    assert values_of(school, "s001", "FIRST_NAME") == ("Ann001",)
    assert "line 3" in caplog.text


def test_a_duplicate_of_a_row_that_triggers_a_bug_is_a_duplicate(
    school: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison(monkeypatch, "Anna")
    result = run(school, "STUDENT_ID,FIRST_NAME\ns000,Anna\ns000,Annie")
    assert counts(result) == {"updated": 1, "rejected": 1}


@pytest.mark.parametrize(
    "missing",
    ["FIRST_NAME", "LAST_NAME", "DOB", "GENDER", "GRADE", "SCHOOL_ID", "ELL", "SPECIAL_ED"],
)
@pytest.mark.parametrize("how", ["blank", "no column"])
def test_a_new_student_needs_every_required_cell(maple: District, missing: str, how: str) -> None:
    header, row = complete(a_class(1)).strip().splitlines()
    cells = dict(zip(header.split(","), row.split(","), strict=True))
    cells |= {"FIRST_NAME": "Ann Marie", missing: ""}
    if how == "no column":
        del cells[missing]
    result = finish(send_as_is(maple, f"{','.join(cells)}\n{','.join(cells.values())}\n"))
    assert counts(result) == {"rejected": 1}
    (problem,) = stored_problems(last(maple))
    assert (problem.code, problem.column, problem.found) == ("required", missing, missing)


def send_as_is(district: District, text: str) -> UpdateJob:
    return send_bytes(district, text.encode(), Mode.ADD).update


def test_every_missing_cell_of_new_students_is_reported(school: District) -> None:
    update = send_as_is(school, "STUDENT_ID,FIRST_NAME,DOB\ns000,Anna,\nnew,Bob,\n")
    assert counts(finish(update)) == {"updated": 1, "rejected": 1}
    missing = set(update.problem_set.values_list("line", "code", "column"))
    assert missing == {
        (3, "required", column)
        for column in ("LAST_NAME", "DOB", "GENDER", "GRADE", "SCHOOL_ID", "ELL", "SPECIAL_ED")
    }


@pytest.mark.parametrize(
    ("moment", "code"),
    [
        (datetime(2026, 11, 23, 5, 59, tzinfo=UTC), "future_date"),
        (datetime(2026, 11, 23, 6, 1, tzinfo=UTC), "implausible_dob"),
    ],
)
def test_today_is_the_date_in_the_district(
    school: District, set_time: Callable[[datetime], None], moment: datetime, code: str
) -> None:
    update = send(school, "STUDENT_ID,DOB\ns000,11/23/2026")
    set_time(moment)
    finish(update)
    assert problems(update) == {2: [code]}


def test_a_row_with_a_warning_is_applied(school: District) -> None:
    result = run(school, "STUDENT_ID,FIRST_NAME,DOB\n s000 ,Null,\ns001,,5/13/2013 0:00")
    assert counts(result) == {"updated": 2}
    assert values_of(school, "s000", "FIRST_NAME") == ("Null",)
    assert values_of(school, "s001", "DOB") == ("2013-05-13",)
    assert sorted(problems(last(school))[2]) == ["possible_placeholder", "trimmed"]
    assert problems(last(school))[3] == ["time_dropped"]


def test_all_problems_of_a_row_are_reported(school: District) -> None:
    run(school, "STUDENT_ID,GRADE,GENDER,DOB,SCHOOL_ID\ns000,15,q,2/30/2015,777")
    assert sorted(problems(last(school))[2]) == [
        "bad_date",
        "bad_value",
        "bad_value",
        "unknown_school",
    ]


def test_line_numbers_are_those_of_the_file_even_after_blank_lines_and_line_breaks_in_cells(
    school: District,
) -> None:
    run(school, 'STUDENT_ID,ADDITIONAL_INFO_1\n\n"s000","two\nlines"\n\nnobody,x')
    assert problems(last(school)) == {3: ["line_breaks_joined"], 6: ["unknown_student"]}


@pytest.mark.parametrize(
    ("dob", "code"),
    [
        ("1/1/1970", "implausible_dob"),
        ("5/13/1950", "implausible_dob"),
        ("9/2/2000", None),
        ("9/1/2000", "implausible_dob"),
        ("9/1/2024", None),
        ("9/2/2024", "implausible_dob"),
        ("01/01/1900", "null_date"),
        ("1900-01-01 00:00:00.000", "null_date"),
        ("1899-12-30", "null_date"),
        ("0001-01-01T00:00:00", "null_date"),
        ("9999-12-31", "null_date"),
        ("9/2/2026", "future_date"),
        ("2014-05-14T05:00:00Z", "time_of_day"),
    ],
)
@pytest.mark.usefixtures("september")
def test_a_plausible_date_of_birth_stays(school: District, dob: str, code: str | None) -> None:
    before = values_of(school, "s000", "DOB", "GRADE")
    result = run(school, f"STUDENT_ID,DOB,GRADE\ns000,{dob},7")
    assert problems(last(school)) == ({2: [code]} if code else {})
    assert counts(result) == {"rejected" if code else "updated": 1}
    assert (values_of(school, "s000", "DOB", "GRADE") == before) == bool(code)


@pytest.mark.usefixtures("september")
def test_an_unusual_age_can_be_added_and_changed_with_a_warning(school: District) -> None:
    text = "STUDENT_ID,FIRST_NAME,LAST_NAME,DOB\nadult,Ann,Adult,{}"
    for dob in ("5/13/1950", "5/13/1951", "1970-01-01"):
        run(school, text.format(dob), Mode.ADD)
        assert problems(last(school)) == {2: ["unusual_age"]}
    assert values_of(school, "adult", "DOB") == ("1970-01-01",)
    run(school, text.format("5/13/2010"), Mode.ADD)
    assert problems(last(school)) == {}
    run(school, text.format("1970-01-01"), Mode.ADD)
    assert problems(last(school)) == {2: ["implausible_dob"]}


@pytest.mark.usefixtures("september")
def test_the_epoch_is_rejected_for_everybody_if_it_fills_the_column(school: District) -> None:
    text = "STUDENT_ID,FIRST_NAME,LAST_NAME,DOB\nnew1,A,B,1/1/1970\nnew2,C,D,1970-01-01"
    assert counts(run(school, text, Mode.ADD)) == {"rejected": 2}
    assert problems(last(school)) == {2: ["null_date"], 3: ["null_date"]}


@pytest.mark.usefixtures("september")
def test_a_day_first_file_is_refused_until_the_district_says_so(school: District) -> None:
    text = "STUDENT_ID,DOB\ns000,13/05/2014\ns001,02/11/2013\ns002,05/06/2013"
    before = values_of(school, "s001", "DOB")
    update = send(school, text)
    assert update.state == State.REFUSED
    assert problems(update) == {2: ["day_first_dates"]}
    assert values_of(school, "s001", "DOB") == before
    school.date_order = "dmy"
    school.save()
    assert counts(run(school, text)) == {"updated": 3}
    dates = [values_of(school, key, "DOB") for key in ("s000", "s001", "s002")]
    assert dates == [("2014-05-13",), ("2013-11-02",), ("2013-06-05",)]
    assert send(school, "STUDENT_ID,DOB\ns000,05/13/2014").state == State.REFUSED
    # The rules are those of the file: the setting may change while it waits.
    waiting = send(school, "STUDENT_ID,DOB\ns000,03/04/2012")
    school.date_order = "mdy"
    school.save()
    assert counts(finish(waiting)) == {"updated": 1}
    assert values_of(school, "s000", "DOB") == ("2012-04-03",)


@pytest.mark.usefixtures("september")
def test_a_file_with_both_orders_changes_only_dates_that_prove_their_order(
    school: District,
) -> None:
    before = values_of(school, "s002", "DOB")
    text = "STUDENT_ID,DOB\ns000,13/05/2014\ns001,11/25/2013\ns002,05/06/2013"
    assert counts(run(school, text)) == {"updated": 2, "rejected": 1}
    assert problems(last(school)) == {2: ["mixed_date_orders"], 4: ["ambiguous_date"]}
    assert values_of(school, "s000", "DOB") == ("2014-05-13",)
    assert values_of(school, "s001", "DOB") == ("2013-11-25",)
    assert values_of(school, "s002", "DOB") == before


@pytest.mark.parametrize("harm", ["gone", "damaged"])
def test_a_missing_or_damaged_file_fails_the_update_and_changes_nobody(
    school: District, harm: str
) -> None:
    before = dump(school)
    update = send(school, a_class(3, GRADE="9"))
    path = files.path_of(update.spool_name)
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1])) if harm == "damaged" else path.unlink()
    FileChunk.objects.all().delete()
    for _ in range(runner.MAX_ATTEMPTS_WITHOUT_PROGRESS):
        with pytest.raises(files.FileMissing):
            finish(update)
    assert finish(update).state is State.FAILED
    assert dump(school) == before
