"""Planner statistics are updated while tables grow."""

import pytest
from django.db import connection, transaction
from pytest_django import DjangoAssertNumQueries

from rollbook.db import planner_stats
from rollbook.db.planner_stats import FIRST_GROWTH_ROWS, AnalyzeOnGrowth
from rollbook.districts.models import District, School


@pytest.fixture
def analyzed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The tables of each call of ``analyze``."""
    analyzed: list[tuple[str, ...]] = []
    monkeypatch.setattr(planner_stats, "analyze", lambda *tables: analyzed.append(tables))
    return analyzed


def estimated_rows(table: str) -> int:
    """Return how many rows PostgreSQL estimates."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", [table])
        rows: int = cursor.fetchone()[0]
    return rows


@pytest.mark.only_on("sqlite")
def test_sqlite_gets_no_queries(
    maple: District, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        planner_stats.analyze("districts_school", "districts_district")
        planner_stats.disable_seqscan()


@pytest.mark.only_on("postgresql")
@pytest.mark.django_db(transaction=True)
def test_tables_are_read_by_their_indexes_in_this_transaction_only(maple: District) -> None:
    def enabled() -> str:
        with connection.cursor() as cursor:
            cursor.execute("SHOW enable_seqscan")
            setting: str = cursor.fetchone()[0]
        return setting

    with transaction.atomic():
        planner_stats.disable_seqscan()
        assert enabled() == "off"
        assert "Index" in School.objects.filter(pk=1).explain()
    assert enabled() == "on"


@pytest.mark.only_on("postgresql")
def test_postgresql_knows_the_number_of_rows_afterward(maple: District) -> None:
    School.objects.bulk_create(
        School(district=maple, organization_id=f"s{n}", name="") for n in range(700)
    )
    assert estimated_rows("districts_school") != 702
    planner_stats.analyze("districts_school", "districts_district")
    assert (estimated_rows("districts_school"), estimated_rows("districts_district")) == (702, 1)


@pytest.mark.only_on("postgresql")
def test_a_small_sample_is_read_and_the_setting_does_not_stay(maple: District) -> None:
    School.objects.bulk_create(
        School(district=maple, organization_id=f"s{n}", name=f"School {n % 50}") for n in range(700)
    )
    planner_stats.analyze("districts_school")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT array_length(most_common_freqs, 1) FROM pg_stats"
            " WHERE tablename = 'districts_school' AND attname = 'name'"
        )
        assert cursor.fetchone() == (planner_stats.TARGET,)
        cursor.execute("SHOW default_statistics_target")
        assert cursor.fetchone() == ("100",)


def test_a_few_rows_do_not_update_statistics(analyzed: list[tuple[str, ...]]) -> None:
    growth = AnalyzeOnGrowth("students_student")
    for _ in range(FIRST_GROWTH_ROWS - 1):
        growth.add_rows(1)
    growth.add_rows(0)
    assert analyzed == []
    growth.add_rows(1)
    assert analyzed == [("students_student",)]


def test_statistics_are_updated_when_the_rows_have_doubled(analyzed: list[tuple[str, ...]]) -> None:
    growth = AnalyzeOnGrowth("students_student", "students_touched")
    updated_at: list[int] = []
    for rows in range(100, 20_000, 100):
        growth.add_rows(100)
        if len(analyzed) > len(updated_at):
            updated_at.append(rows)
    assert updated_at == [
        FIRST_GROWTH_ROWS,
        2 * FIRST_GROWTH_ROWS,
        4 * FIRST_GROWTH_ROWS,
        8 * FIRST_GROWTH_ROWS,
        16 * FIRST_GROWTH_ROWS,
    ]
    assert set(analyzed) == {("students_student", "students_touched")}


def test_many_rows_at_once_update_statistics_once(analyzed: list[tuple[str, ...]]) -> None:
    growth = AnalyzeOnGrowth("students_student")
    growth.add_rows(50 * FIRST_GROWTH_ROWS)
    growth.add_rows(49 * FIRST_GROWTH_ROWS)
    assert len(analyzed) == 1
    growth.add_rows(FIRST_GROWTH_ROWS)
    assert len(analyzed) == 2
