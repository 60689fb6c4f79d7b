"""The problems of an update as the database keeps them: exact totals, and each in detail."""

import pytest

from rollbook.districts.models import District
from rollbook.studentfile.problems.problem import Problem
from rollbook.updates import problem_store
from tests.updates.night import a_class, enroll, last, run, send


def test_counts_go_on_from_those_before() -> None:
    found = [Problem("unknown_staff", 2), Problem("bad_date", 3), Problem("bad_date", 4)]
    assert problem_store.counts(found, {"bad_date": 1}) == {"bad_date": 3, "unknown_staff": 1}
    assert problem_store.counts([]) == {}


def test_of_warnings_only_some_are_kept_and_of_errors_all(
    maple: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(problem_store, "MAX_WARNINGS", 3)
    update = send(maple, a_class(1))
    found = [Problem(code, line) for line in range(2, 6) for code in ("unknown_staff", "bad_date")]
    problem_store.save_problems(update.pk, found, {"unknown_staff": 1, "bad_date": 7})
    kept = list(update.problem_set.order_by("pk").values_list("line", "code"))
    assert [line for line, code in kept if code == "unknown_staff"] == [2, 3]
    assert [line for line, code in kept if code == "bad_date"] == [2, 3, 4, 5]


@pytest.mark.usefixtures("small_batches")
def test_counts_are_exact_also_where_details_are_cut(
    maple: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(problem_store, "MAX_WARNINGS", 3)
    enroll(maple, a_class(7))
    run(maple, a_class(7, STAFF="nobody{0}@maple.example"))
    assert last(maple).problem_counts == {"unknown_staff": 7}
    assert last(maple).problem_set.count() == 3


def test_a_problem_comes_back_with_its_words(maple: District) -> None:
    run(maple, "STUDENT_ID,DOB\n7,2/30/2015")
    said = [
        problem_store.to_problem(kept).message for kept in last(maple).problem_set.order_by("pk")
    ]
    assert said == ["'2/30/2015' is not a real date; write mm/dd/yyyy"]


def test_nothing_of_a_password_cell_is_kept(maple: District) -> None:
    run(maple, "STUDENT_ID,PASSWORD\n7,can\n8,#REF!\n9,canary\u200bcanary\tx\ncanary,canary")
    kept = list(
        last(maple)
        .problem_set.order_by("line")
        .values_list("line", "column", "code", "found", "hint")
    )
    assert len(kept) == 4
    assert not any(
        "can" in told for *_, found, hint in kept if (told := found + hint) and _[1] == "PASSWORD"
    )
    assert not any("canary" in hint for *_, hint in kept)
