"""Statistics that keep up with tables which are being filled."""

import pytest
from django.db import connection, transaction
from pytest_django import DjangoAssertNumQueries

from rollbook.db import planner_stats
from rollbook.db.planner_stats import SMALL_TABLE_ROWS, AnalyzeOnGrowth
from rollbook.districts.models import District, School


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The tables whose statistics were to be brought up, time by time."""
    asked: list[tuple[str, ...]] = []
    monkeypatch.setattr(planner_stats, "analyze", lambda *tables: asked.append(tables))
    return asked


def estimated(table: str) -> int:
    """How many rows PostgreSQL thinks there are."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", [table])
        rows: int = cursor.fetchone()[0]
    return rows


@pytest.mark.only_on("sqlite")
def test_sqlite_is_asked_nothing(
    maple: District, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        planner_stats.analyze("districts_school", "districts_district")
        planner_stats.disable_seqscan()


@pytest.mark.only_on("postgresql")
@pytest.mark.django_db(transaction=True)
def test_a_small_table_is_read_by_its_index_in_this_transaction_alone(maple: District) -> None:
    School.objects.create(district=maple, organization_id="s1", name="")
    planner_stats.analyze("districts_school")
    found = School.objects.filter(pk=1)
    with transaction.atomic():
        planner_stats.disable_seqscan()
        assert "Index" in found.explain()
    assert "Seq Scan" in found.explain()


@pytest.mark.only_on("postgresql")
def test_postgresql_knows_afterwards_how_many_rows_there_are(maple: District) -> None:
    School.objects.bulk_create(
        School(district=maple, organization_id=f"s{n}", name="") for n in range(700)
    )
    assert estimated("districts_school") != 702
    planner_stats.analyze("districts_school", "districts_district")
    assert (estimated("districts_school"), estimated("districts_district")) == (702, 1)


def test_a_few_rows_are_worth_no_look(asked: list[tuple[str, ...]]) -> None:
    growth = AnalyzeOnGrowth("students_student")
    for _ in range(SMALL_TABLE_ROWS - 1):
        growth.add_rows(1)
    growth.add_rows(0)
    assert asked == []
    growth.add_rows(1)
    assert asked == [("students_student",)]


def test_the_next_look_comes_when_the_rows_have_doubled(asked: list[tuple[str, ...]]) -> None:
    growth = AnalyzeOnGrowth("students_student", "students_rowfingerprint")
    looks: list[int] = []
    for rows in range(100, 20_000, 100):
        growth.add_rows(100)
        if len(asked) > len(looks):
            looks.append(rows)
    assert looks == [
        SMALL_TABLE_ROWS,
        2 * SMALL_TABLE_ROWS,
        4 * SMALL_TABLE_ROWS,
        8 * SMALL_TABLE_ROWS,
        16 * SMALL_TABLE_ROWS,
    ]
    assert set(asked) == {("students_student", "students_rowfingerprint")}


def test_rows_that_come_all_at_once_are_one_look(asked: list[tuple[str, ...]]) -> None:
    growth = AnalyzeOnGrowth("students_student")
    growth.add_rows(50 * SMALL_TABLE_ROWS)
    growth.add_rows(49 * SMALL_TABLE_ROWS)
    assert len(asked) == 1
    growth.add_rows(SMALL_TABLE_ROWS)
    assert len(asked) == 2
