"""Stored problems of an update: exact counts, and details."""

import pytest

from rollbook.accounts import district_keys, sealed_values
from rollbook.accounts.district_keys import KeyPurpose
from rollbook.districts.models import District
from rollbook.studentfile.problems.problem import Problem
from rollbook.updates import problem_store
from tests.updates.night import a_class, enroll, last, run, send, stored_problems


def test_counts_are_added_to_earlier_ones() -> None:
    problems = [Problem("unknown_staff", 2), Problem("bad_date", 3), Problem("bad_date", 4)]
    assert problem_store.counts(problems, {"bad_date": 1}) == {"bad_date": 3, "unknown_staff": 1}
    assert problem_store.counts([]) == {}


def test_only_some_warnings_but_all_errors_are_stored(
    maple: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(problem_store, "MAX_WARNINGS", 3)
    update = send(maple, a_class(1))
    problems = [
        Problem(code, line) for line in range(2, 6) for code in ("unknown_staff", "bad_date")
    ]
    problem_store.save_problems(update, problems, {"unknown_staff": 1, "bad_date": 7})
    stored = list(update.problem_set.order_by("pk").values_list("line", "code"))
    assert [line for line, code in stored if code == "unknown_staff"] == [2, 3]
    assert [line for line, code in stored if code == "bad_date"] == [2, 3, 4, 5]


@pytest.mark.usefixtures("small_batches")
def test_counts_are_exact_even_if_not_all_details_are_stored(
    maple: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(problem_store, "MAX_WARNINGS", 3)
    enroll(maple, a_class(7))
    run(maple, a_class(7, STAFF="nobody{0}@maple.example"))
    assert last(maple).problem_counts == {"unknown_staff": 7}
    assert last(maple).problem_set.count() == 3


def test_a_stored_problem_has_its_message(maple: District) -> None:
    run(maple, "STUDENT_ID,DOB\n7,2/30/2015")
    problems = last(maple).problem_set.order_by("pk")
    messages = [problem_store.to_problem(problem).message for problem in problems]
    assert messages == ['"2/30/2015" isn\'t a valid date. Use mm/dd/yyyy']


@pytest.mark.statement("S36")
def test_what_was_found_is_encrypted_with_the_key_of_the_district(maple: District) -> None:
    run(maple, "STUDENT_ID,DOB\nzqcanary,2/30/2015\nzqcanary,Zqcanary")
    columns = last(maple).problem_set.values_list("found", "hint", "sealed")
    stored = repr([(found, hint, bytes(sealed or b"")) for found, hint, sealed in columns])
    assert "canary" not in stored.casefold()
    assert "2015" not in stored
    assert "zqcanary" in str(stored_problems(last(maple))).casefold()


def test_without_the_key_the_texts_are_empty(maple: District) -> None:
    run(maple, "STUDENT_ID,DOB\n7,2/30/2015")
    district_keys.destroy(maple.pk, KeyPurpose.FILES)
    sealed_values._ciphers.clear()
    (problem,) = stored_problems(last(maple))
    assert (problem.code, problem.found, problem.hint) == ("bad_date", "", "")


def test_a_problem_of_an_older_version_is_read_as_it_is(maple: District) -> None:
    run(maple, "STUDENT_ID,DOB\n7,2/30/2015")
    last(maple).problem_set.update(sealed=None, found="2/30/2015")
    assert stored_problems(last(maple))[0].found == "2/30/2015"


def test_nothing_of_a_password_cell_is_stored(maple: District) -> None:
    run(maple, "STUDENT_ID,PASSWORD\n7,can\n8,#REF!\n9,canary\u200bcanary\tx\ncanary,canary")
    problems = stored_problems(last(maple))
    assert len(problems) == 4
    for problem in problems:
        assert "canary" not in problem.hint
        if problem.column == "PASSWORD":
            assert "can" not in problem.found + problem.hint
