"""A file that is sent again: what was found out about the last one is taken over."""

from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rollbook.districts.models import District
from rollbook.students.models import Absence, Student
from rollbook.updates import runner
from rollbook.updates.checking import check_range
from rollbook.updates.manifest import manifest
from rollbook.updates.models import UpdateJob
from rollbook.updates.state_machine import Mode
from tests import depth
from tests.db.database_errors import Kill, fault_at
from tests.updates.manifest.ten_students import ALL, NIGHT, edit, with_row
from tests.updates.night import (
    a_class,
    allow_sync,
    counts,
    dump,
    enroll,
    finish,
    forget,
    known,
    last,
    lift_limits,
    problems,
    run,
    send,
    send_bytes,
    who_was_where,
)

HEADER, *ROWS = NIGHT.splitlines()
FIGURES = (
    *("rows", "rows_read", "rows_staged", "rows_unchanged", "rows_rejected", "problem_counts"),
    *("shape", "findings", "summary", "reasons", "absences"),
)


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_range, "MAX_UNKNOWN", 3)


def figures(update: UpdateJob) -> dict[str, Any]:
    """Return what is stored about the file and the rows of an update."""
    update.refresh_from_db()
    matched = sum(update.checkedrange_set.values_list("matched_rows", flat=True))
    absences = Absence.objects.filter(student__district=update.district)
    missing = sorted(absences.values_list("student__student_id", "files"))
    stored = {name: getattr(update, name) for name in FIGURES}
    return {**stored, "matched": matched, "missing": missing}


def ends(update: UpdateJob) -> list[int]:
    """Return the lines at which the ranges of an update end."""
    return sorted(update.checkedrange_set.values_list("end_line", flat=True))


rows_of_nights = st.lists(
    st.sampled_from(
        [
            *ROWS,
            ROWS[3].replace(",4", ",5"),
            ROWS[3].replace(",4", ",99"),
            "s900,u900,Ann,Lee,2012-05-13,4",
            "s005,too few",
            "",
        ]
    ),
    max_size=4,
)
edits = st.lists(st.sampled_from(sorted(ALL)), max_size=1)


@settings(
    max_examples=depth.examples(30), suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rows_of_nights,
    st.integers(0, 9),
    st.lists(st.tuples(st.sampled_from([Mode.UPDATE, Mode.SYNC]), edits), min_size=1, max_size=4),
    st.booleans(),
)
def test_the_result_is_that_of_a_check_of_all_rows(
    school: District,
    cedar: District,
    more: list[str],
    left_out: int,
    nights: list[tuple[Mode, list[str]]],
    crashes: bool,
) -> None:
    rows = [*ROWS[: 10 - left_out], *more]
    with transaction.atomic():
        enroll(cedar, a_class(10))
        run(cedar, NIGHT)
        for district in (school, cedar):
            lift_limits(district)
            allow_sync(district)
        for mode, edited in nights:
            for student in Student.objects.filter(student_id__in=edited):
                student.last_name = "Edited"
                student.save()
            forget(cedar)
            file = "\n".join([HEADER, *rows]).encode()
            here, there = (send_bytes(each, file, mode).update for each in (school, cedar))
            if crashes:
                next(runner.run_steps(here.pk), None)
            assert counts(finish(here)) == counts(finish(there))
            assert problems(here) == problems(there)
            assert figures(here) == figures(there)
            assert dump(school) == dump(cedar)
            assert who_was_where(here) == who_was_where(there)
        transaction.set_rollback(True)


def test_the_ranges_of_the_last_file_are_taken_over(school: District) -> None:
    grades = NIGHT.replace(",4", ",5")
    run(school, grades)
    before = last(school)
    assert counts(run(school, grades)) == {"unchanged": 10}
    assert ends(last(school)) == ends(before) == [5, 8, 11, 12]
    assert known(school) == ALL
    assert counts(run(school, with_row("s003", "6"))) == {"updated": 10}


def test_another_file_with_the_same_rows_is_checked(school: District) -> None:
    grades = NIGHT.replace(",4", ",5")
    run(school, grades)
    update = send_bytes(school, f"{grades}\n\n".encode()).update
    assert counts(finish(update)) == {"unchanged": 10}
    assert ends(update) == [13]


def test_a_student_who_was_edited_is_compared(school: District) -> None:
    edit("s004", last_name="Edited")
    assert counts(run(school, NIGHT)) == {"updated": 1, "unchanged": 9}


def test_what_was_wrong_with_a_row_is_reported_again(school: District) -> None:
    for text, codes in (
        (with_row("s003", "99"), {5: ["bad_value"]}),
        (f"{NIGHT}\n{ROWS[2]}", {12: ["duplicate_row"]}),
    ):
        for _ in range(3):
            run(school, text)
            assert problems(last(school)) == codes


def test_missing_students_are_counted_again(school: District) -> None:
    text = "\n".join([HEADER, *ROWS[:9]])
    for _ in range(2):
        assert counts(run(school, text, Mode.SYNC)) == {"unchanged": 9}
        assert figures(last(school))["absences"]["missing"] == 1


def test_an_erased_student_is_not_known(school: District) -> None:
    grades = NIGHT.replace(",4", ",5")
    run(school, grades)
    update = send(school, grades)
    manifest.forget([Student.objects.get(student_id="s007").pk])
    assert counts(finish(update)) == {"unchanged": 10}
    assert ends(update) == [12]


def test_records_of_students_that_the_file_does_not_contain_stay_known(school: District) -> None:
    text = "\n".join([HEADER, *ROWS[5:]])
    for _ in range(3):
        assert counts(run(school, text)) == {"unchanged": 5}
        assert known(school) == ALL
    assert counts(run(school, NIGHT)) == {"unchanged": 10}


def test_the_same_bytes_in_another_encoding_are_another_file(school: District) -> None:
    data = NIGHT.replace("Ann003", "Peña").encode("cp1252")
    for encoding, name in (("cp1252", "Peña"), ("cp1250", "Peńa")):
        update = send_bytes(school, data, encoding=encoding).update
        assert counts(finish(update)) == {"updated": 1, "unchanged": 9}
        assert Student.objects.get(student_id="s003").first_name == name


def test_a_kill_at_any_statement_loses_nothing(school: District) -> None:
    for statement in range(1, 1000):
        with transaction.atomic():
            update = send(school, NIGHT)
            try:
                with fault_at(statement):
                    finish(update)
                was_killed = False
            except Kill:
                was_killed = True
            assert counts(finish(update)) == {"unchanged": 10}
            assert ends(update) == [5, 8, 11, 12]
            edit("s003", last_name="Edited")
            assert counts(run(school, NIGHT)) == {"updated": 1, "unchanged": 9}
            assert known(school) == ALL
            transaction.set_rollback(True)
        if not was_killed:
            assert statement > 20
            return
    raise AssertionError("it never ends")
