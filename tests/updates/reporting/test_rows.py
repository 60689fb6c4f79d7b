"""The rows of an update, page by page."""

from collections.abc import Sequence
from itertools import islice

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rollbook.accounts.models import Member
from rollbook.districts.models import District
from rollbook.studentfile.problems.problem import Problem
from rollbook.students.models import Student
from rollbook.updates import runner
from rollbook.updates.cancel import cancel
from rollbook.updates.models import UpdateJob
from rollbook.updates.reporting import rows
from rollbook.updates.reporting.rows import FieldChange, RowView, rows_of
from rollbook.updates.state_machine import Mode
from tests.updates.night import a_class, applying, counts, enroll, last, report_of, run, send

pytestmark = pytest.mark.usefixtures("small_batches")

NIGHT = """
    STUDENT_ID,USERNAME,FIRST_NAME,LAST_NAME,DOB,GRADE,PASSWORD
    s000,,,,,5,
    s001,,,,,4,
    s002,,,,,15,
    n1,n1,Zoe,Fox,2012-01-01,4,canary
    x2,n1,Zed,Fox-Smith,2012-01-01,4,
    s003,,,,,5,canary
    s003,,,,,5,canary
"""


@pytest.fixture(scope="module")
def enrolled(maple_once: District) -> None:
    enroll(maple_once, a_class(6, GRADE="4"))


@pytest.fixture
def school(enrolled: None, maple: District) -> District:
    return maple


@pytest.fixture
def night(school: District) -> UpdateJob:
    run(school, NIGHT, Mode.ADD)
    return last(school)


def pk_of(student_id: str) -> int:
    return Student.objects.get(student_id=student_id, district__slug="maple-usd").pk


def lines_of(views: Sequence[RowView]) -> list[int]:
    return [view.number for view in views]


def test_rows_that_changed_something_or_were_rejected_are_in_file_order(
    night: UpdateJob,
) -> None:
    page = rows_of(night)
    assert [(line.number, line.outcome) for line in page.items] == [
        (2, "updated"),
        (4, "rejected"),
        (5, "added"),
        (6, "rejected"),
        (7, "updated"),
    ]
    assert (page.total, page.pages, page.first, page.last) == (5, 1, 1, 5)


def test_each_row_has_its_student_its_changes_and_its_problems(night: UpdateJob) -> None:
    updated, rejected, added, clashing, with_password = rows_of(night).items
    assert updated.student == rows.StudentRef(pk_of("s000"), "Ann000 Lee000", "s000")
    assert (updated.changes, updated.problems) == ((FieldChange("GRADE", "4", "5"),), ())
    assert rejected.student == rows.StudentRef(pk_of("s002"), "Ann002 Lee002", "s002")
    assert rejected.changes == ()
    assert [(problem.code, problem.column, problem.line) for problem in rejected.problems] == [
        ("bad_value", "GRADE", 4)
    ]
    assert added.student == rows.StudentRef(pk_of("n1"), "Zoe Fox", "n1")
    assert FieldChange("DOB", "", "01/01/2012") in added.changes
    assert clashing.student == rows.StudentRef(None, "Zed Fox-Smith", "x2")
    assert isinstance(clashing.problems[0], Problem)
    assert with_password.changes == (
        FieldChange("PASSWORD", "", "changed"),
        FieldChange("GRADE", "4", "5"),
    )
    assert "canary" not in str(rows_of(night))


def test_a_rejected_row_that_means_nobody_is_called_by_what_it_names(school: District) -> None:
    run(school, "STUDENT_ID,FIRST_NAME,LAST_NAME,DOB\nx1,Zoe,Fox,2012-01-01\nx2,,,\n'',,,")
    named, by_id, unnamed = rows_of(last(school)).items
    assert named.student == rows.StudentRef(None, "zoe fox", "x1")
    assert by_id.student == rows.StudentRef(None, "", "x2")
    assert unnamed.student is None


@pytest.mark.parametrize(
    ("outcome", "lines"),
    [
        ("updated", [2, 7]),
        ("added", [5]),
        ("rejected", [4, 6]),
        ("waiting", []),
        ("nonsense", [2, 4, 5, 6, 7]),
    ],
)
def test_rows_of_one_outcome(night: UpdateJob, outcome: str, lines: list[int]) -> None:
    page = rows_of(night, outcome)
    assert (lines_of(page.items), page.total) == (lines, len(lines))


@pytest.mark.usefixtures("small_chunks")
def test_rows_wait_until_they_are_applied_or_the_update_ends(school: District) -> None:
    update = send(school, a_class(6, GRADE="5"))
    applying(update, chunks=1)
    update.refresh_from_db()
    assert [line.outcome for line in rows_of(update).items] == ["updated"] * 2 + ["waiting"] * 4
    page = rows_of(update, "waiting")
    assert (lines_of(page.items), page.total) == ([4, 5, 6, 7], 4)
    assert page.items[0].changes == (FieldChange("GRADE", "4", "5"),)
    cancel(school)
    update.refresh_from_db()
    assert [line.outcome for line in rows_of(update, "waiting").items] == ["not processed"] * 4
    assert rows_of(update, "updated").total == 2


def test_while_rows_are_checked_the_staged_ones_wait(school: District) -> None:
    update = send(school, f"{a_class(6, GRADE='5')}\nx1,,,,,5")
    for _ in islice(runner.run_steps(update.pk), 2):
        pass
    update.refresh_from_db()
    assert (update.state, update.rows_read) == ("checking", 4)
    assert (
        rows_of(update).total == rows_of(update, "waiting").total == len(rows_of(update).items) == 4
    )
    cancel(school)
    update.refresh_from_db()
    assert rows_of(update).total == 4


@pytest.mark.parametrize("outcome", [None, "updated", "rejected"])
def test_every_row_is_on_one_page_and_the_totals_are_those_of_the_report(
    school: District, outcome: str | None
) -> None:
    lines = [f"{'s' if n % 3 else 'x'}{n % 6:03},{n % 9}" for n in range(40)]
    run(school, "STUDENT_ID,GRADE\n" + "\n".join(lines))
    update = last(school)
    pages = [
        rows_of(update, outcome, page=number, size=7)
        for number in range(1, rows_of(update, outcome, size=7).pages + 1)
    ]
    numbers = [line for page in pages for line in lines_of(page.items)]
    assert numbers == sorted(set(numbers))
    assert {page.total for page in pages} == {len(numbers)}
    reported = counts(report_of(update))
    assert len(numbers) == (
        reported.get(outcome, 0) if outcome else update.rows_updated + update.rows_rejected
    )


def test_a_page_out_of_range_is_the_nearest_one(night: UpdateJob) -> None:
    assert lines_of(rows_of(night, page=9, size=2).items) == [7]
    assert lines_of(rows_of(night, page=-1, size=2).items) == [2, 4]


@pytest.mark.parametrize(
    ("search", "lines"),
    [
        ("5", [5]),
        ("s000", [2]),
        (" s000 ", [2]),
        ("S000", []),
        ("U000", [2]),
        ("n1", [5, 6]),
        ("x2", [6]),
        ("ann002", [4]),
        ("LEE002 ann", [4]),
        ("zoe", [5]),
        ("fox", [5, 6]),
        ("fox-smith zed", [6]),
        ("zoe smith", []),
        ("s001", []),
        ("%", []),
        ("_", []),
        ("99999999999999999999", []),
    ],
)
def test_searching_by_line_key_or_words_of_a_name(
    night: UpdateJob, search: str, lines: list[int]
) -> None:
    page = rows_of(night, search=search)
    assert (lines_of(page.items), page.total) == (lines, len(lines))


def test_a_search_stays_within_the_outcome(night: UpdateJob) -> None:
    assert lines_of(rows_of(night, "rejected", "fox").items) == [6]
    assert lines_of(rows_of(night, "added", "fox").items) == [5]
    assert lines_of(rows_of(night, "added", "6").items) == []


def test_the_number_of_rows_found_by_name_is_limited(
    night: UpdateJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "MAX_NAMED_STUDENTS", 2)
    assert lines_of(rows_of(night, search="ann").items) == [2, 4]
    monkeypatch.setattr(rows, "MAX_NAMED_STUDENTS", 3)
    assert lines_of(rows_of(night, search="e").items) == [2, 4, 5]  # Lee000, Lee002, Zoe


def test_a_row_is_found_once_by_the_old_and_the_new_name(school: District) -> None:
    text = "STUDENT_ID,LAST_NAME,DOB,GRADE\ns000,Leeward,,4\ns001,Lee001,,5\ns002,Moss,,5"
    update = send(school, text)
    applying(update)
    for search, lines in (("lee", [2, 3, 4]), ("leeward", [2]), ("ann moss", [4])):
        assert lines_of(rows_of(update, search=search).items) == lines


def test_postgresql_does_not_join_all_rows_and_students_to_find_a_name(night: UpdateJob) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert rows_of(night, search="fox").total == 2
    statements = [query["sql"] for query in queries.captured_queries]
    is_either = ["LEFT OUTER JOIN" in each and "LIKE" in each for each in statements]
    assert any(is_either) == (connection.vendor == "sqlite")


def test_an_unchanged_row_is_found_by_its_line(school: District) -> None:
    run(school, "STUDENT_ID,GRADE,STAFF\ns000,4,\ns001,5,\ns002,,x@y.example\nx,4,")
    update = last(school)
    [row] = rows_of(update, search="2").items
    pk = Student.objects.get(district=school, student_id="s000").pk
    assert (row.number, row.outcome, row.changes, row.problems) == (2, "unchanged", (), ())
    assert row.student == rows.StudentRef(pk, "Ann000 Lee000", "s000")
    [row] = rows_of(update, search="4").items
    assert (row.outcome, [each.code for each in row.problems]) == ("unchanged", ["unknown_staff"])
    assert [each.outcome for each in rows_of(update, search="3").items] == ["updated"]
    assert [each.outcome for each in rows_of(update, search="5").items] == ["rejected"]
    for search, outcome in (("2", "rejected"), ("7", None), ("2222222222", None)):
        assert rows_of(update, outcome, search).total == 0


def test_students_of_other_districts_are_not_searched(night: UpdateJob, cedar: District) -> None:
    enroll(cedar, a_class(1, STUDENT_ID="c{0:03}", FIRST_NAME="Cedric"))
    for search in ("c000", "cedric"):
        assert rows_of(night, search=search).total == 0


def test_a_change_made_by_hand_meanwhile_is_not_listed(school: District) -> None:
    update = send(school, "STUDENT_ID,GRADE,GENDER\ns000,5,m")
    work = applying(update)
    Student.objects.filter(student_id="s000").update(grade="5", version=7)
    list(work)
    update.refresh_from_db()
    assert rows_of(update).items[0].changes == (FieldChange("GENDER", "f", "m"),)


def test_a_new_student_with_another_id_is_shown_with_the_name_in_the_file(
    night: UpdateJob,
) -> None:
    Student.objects.filter(student_id="n1").update(student_id="another")
    assert rows_of(night, "added").items[0].student == rows.StudentRef(None, "Zoe Fox", "n1")


@pytest.mark.parametrize("groups", ["Default", "Band", "Band&Chess"])
def test_a_waiting_row_changes_what_the_history_has_afterward(
    maple: District, manager: Member, groups: str
) -> None:
    """A new school ends links, also if the file has no columns for them."""
    enroll(maple, a_class(3, GROUPS=groups, STAFF=manager.email))
    update = send(maple, "STUDENT_ID,SCHOOL_ID\ns000,200\ns001,200\n")
    work = applying(update)
    update.refresh_from_db()
    waiting = [view.changes for view in rows_of(update).items]
    for _ in work:
        pass
    update.refresh_from_db()
    applied = [view.changes for view in rows_of(update).items]
    assert [set(changes) for changes in waiting] == [set(changes) for changes in applied]
    expected = [FieldChange("GROUPS", groups, "Default")] if groups != "Default" else []
    assert [change for change in waiting[0] if change.column == "GROUPS"] == expected
    assert FieldChange("STAFF", manager.email, "") in waiting[0]
