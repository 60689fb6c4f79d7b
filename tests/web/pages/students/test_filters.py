"""Test the order, pages and query plans of the list of students."""

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from rollbook.accounts.models import Member
from rollbook.students.models import Student
from rollbook.web.pages.students import filters
from rollbook.web.pages.students.filters import PAGE_SIZE, Filters, all_keys, search
from tests.updates.night import a_class, enroll

COUNT = 120
QUERIES = [
    "",
    "sort=-name",
    "sort=id",
    "sort=-school",
    "sort=grade",
    "status=active",
    "status=active&sort=-name",
    "search=lee&sort=-id",
    "search=lee",
]


@pytest.fixture
def many(manager: Member) -> Member:
    """The manager of a district with three pages of students, some of whom share their names."""
    enroll(manager.district, a_class(COUNT))
    shared = Student.objects.filter(pk__in=list(Student.objects.values_list("pk", flat=True)[::3]))
    shared.update(last_name="LEE", first_name="ann", name_key="ann\x1flee")
    return manager


def of(member: Member, query: str, number: int) -> list[int]:
    page = search(member, Filters(QueryDict(query), member), number)
    assert page.total == COUNT
    return [student.pk for student in page.items]


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("few", [0, COUNT, 10_000], ids=["none", "all", "more than all"])
def test_each_page_is_that_part_of_the_whole_list(
    many: Member, query: str, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filters, "FEW", few)
    keys = all_keys(many, Filters(QueryDict(query), many))
    assert len(keys) == len(set(keys)) == COUNT
    for number in (1, 2, 3):
        assert of(many, query, number) == keys[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]
    assert of(many, query, 9) == keys[2 * PAGE_SIZE :]


@pytest.mark.parametrize("query", ["", "sort=-name", "status=active"])
def test_a_page_of_many_students_is_read_from_the_index_in_its_order(
    many: Member, query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filters, "FEW", 0)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE students_student")
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_sort = off")  # the table is too small to matter
    with CaptureQueriesContext(connection) as queries:
        of(many, query, 2)
    (sql,) = (each["sql"] for each in queries if "ORDER BY LOWER(" in each["sql"])
    explain = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
    with connection.cursor() as cursor:
        cursor.execute(f"{explain} {sql}")
        plan = str(cursor.fetchall())
    assert "student_list_order" in plan
    assert "TEMP B-TREE" not in plan


@pytest.mark.parametrize(
    ("word", "found"), [("000", True), ("0000", True), ("00000000000", False), ("x", False)]
)
def test_a_word_of_zeros_finds_the_ids_that_begin_with_them(
    manager: Member, word: str, found: bool
) -> None:
    enroll(manager.district, a_class(1))
    Student.objects.update(student_id="0000z")
    page = search(manager, Filters(QueryDict(f"search={word}"), manager), 1)
    assert bool(page.total) == found
