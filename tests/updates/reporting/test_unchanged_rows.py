"""The rows that changed nothing are listed page by page, in the order of the file."""

import pytest

from rollbook.districts.models import District
from rollbook.students.models import Student
from rollbook.updates.checking import check_range
from rollbook.updates.models import UpdateJob
from rollbook.updates.reporting import unchanged_rows
from tests.updates.night import a_class, enroll, finish, last, run, send

pytestmark = pytest.mark.django_db


def listed(update: UpdateJob, number: int = 1, size: int = 50) -> list[tuple[int, str]]:
    """Return line and student ID of the rows on a page."""
    items = unchanged_rows.page_of(update, number, size).items
    return [(row.number, row.student.student_id if row.student else "") for row in items]


def test_unchanged_rows_are_those_that_neither_changed_nor_were_rejected(maple: District) -> None:
    enroll(maple, a_class(6, GRADE="4"))
    run(
        maple,
        "STUDENT_ID,GRADE\ns000,4\ns001,5\n\ns002,99\nnobody,4\ns003,4\ns004,04\ns005,4\n",
    )
    update = last(maple)
    assert (update.rows_unchanged, update.rows_updated, update.rows_rejected) == (4, 1, 2)
    assert listed(update) == [(2, "s000"), (7, "s003"), (8, "s004"), (9, "s005")]


def test_known_rows_are_listed_too(maple: District) -> None:
    text = a_class(5)
    enroll(maple, text)
    run(maple, text)
    assert listed(last(maple)) == [(n + 2, f"s{n:03}") for n in range(5)]


@pytest.mark.parametrize("batch", [1, 2, 3, 100])
def test_pages_continue_over_checked_ranges(
    maple: District, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    enroll(maple, a_class(9, GRADE="4"))
    for name in ("MAX_UNKNOWN", "MAX_RECORDS"):
        monkeypatch.setattr(check_range, name, batch)
    grades = ["4", "5", "4", "4", "99", "4", "4", "5", "4"]
    rows = "".join(f"s{n:03},{grade}\n" for n, grade in enumerate(grades))
    run(maple, f"STUDENT_ID,GRADE\n{rows}")
    update = last(maple)
    whole = listed(update)
    assert [student for _, student in whole] == ["s000", "s002", "s003", "s005", "s006", "s008"]
    pages = [listed(update, number, 4) for number in (1, 2)]
    assert [*pages[0], *pages[1]] == whole
    assert [len(page) for page in pages] == [4, 2]
    assert unchanged_rows.page_of(update, 2, 4).total == 6


def test_lines_count_records_of_several_lines(maple: District) -> None:
    enroll(maple, a_class(3, GRADE="4"))
    run(maple, 'STUDENT_ID,GRADE,Note\ns000,4,"two\nlines"\ns001,4,\ns002,4,\n')
    assert [line for line, _ in listed(last(maple))] == [2, 4, 5]


def test_rows_of_students_who_are_gone_are_left_out(maple: District, cedar: District) -> None:
    enroll(maple, a_class(3, GRADE="4"))
    run(maple, "STUDENT_ID,GRADE\ns000,4\ns001,4\n")
    Student.objects.filter(student_id="s000").update(district=cedar)
    assert listed(last(maple)) == [(3, "s001")]


def test_a_plan_that_waits_lists_its_unchanged_rows(maple: District) -> None:
    enroll(maple, a_class(3, GRADE="4"))
    update = send(maple, "STUDENT_ID,GRADE\ns000,4\ns001,5\ns002,4\n", is_check=True)
    finish(update)
    assert [student for _, student in listed(update)] == ["s000", "s002"]
