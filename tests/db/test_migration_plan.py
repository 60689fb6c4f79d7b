"""What a migration will do is described before it runs."""

from typing import Any

import pytest
from django.apps import apps
from django.db import connection, migrations, models
from django.db.migrations.migration import Migration
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from rollbook.db import migration_plan
from rollbook.db.migration_plan import Effect, Lock, PlannedMigration, Work
from rollbook.districts.models import District
from rollbook.updates.models import UpdateJob

TABLE = "updates_updatejob"
NAME = UpdateJob._meta.get_field("file_name")
LENGTH = NAME.max_length or 0


def add(field: "models.Field[Any, Any]") -> Operation:
    return migrations.AddField("updatejob", "news", field)


def alter(**options: object) -> Operation:
    kwargs = NAME.deconstruct()[3] | options
    return migrations.AlterField("updatejob", "file_name", type(NAME)(**kwargs))


def planned(*operations: Operation) -> PlannedMigration:
    return planned_in("updates", *operations)


def planned_in(app: str, *operations: Operation) -> PlannedMigration:
    kind: type[Migration] = type("News", (Migration,), {"operations": list(operations)})
    return migration_plan._plan(kind("9001_news", app), ProjectState.from_apps(apps))


EFFECTS: dict[str, tuple[Operation, Lock, Work, Work]] = {
    "a column that can be NULL": (
        add(models.TextField(null=True)),
        Lock.ALL,
        Work.NOTHING,
        Work.NOTHING,
    ),
    "a column with a default": (
        add(models.TextField(default="", db_default="")),
        Lock.ALL,
        Work.WRITE,
        Work.NOTHING,
    ),
    "a unique column": (
        add(models.TextField(null=True, unique=True)),
        Lock.ALL,
        Work.READ,
        Work.READ,
    ),
    "a longer text": (alter(max_length=LENGTH + 1), Lock.ALL, Work.WRITE, Work.NOTHING),
    "a shorter text": (alter(max_length=LENGTH - 1), Lock.ALL, Work.WRITE, Work.WRITE),
    "an index on a column": (alter(db_index=True), Lock.ALL, Work.WRITE, Work.READ),
    "an index": (
        migrations.AddIndex("updatejob", models.Index(fields=["number"], name="news")),
        Lock.WRITE,
        Work.READ,
        Work.READ,
    ),
    "a constraint": (
        migrations.AddConstraint(
            "updatejob", models.CheckConstraint(condition=models.Q(number__gt=0), name="news")
        ),
        Lock.ALL,
        Work.WRITE,
        Work.READ,
    ),
    "a column less": (
        migrations.RemoveField("updatejob", "file_name"),
        Lock.ALL,
        Work.WRITE,
        Work.NOTHING,
    ),
    "another name": (
        migrations.RenameField("updatejob", "file_name", "news"),
        Lock.ALL,
        Work.NOTHING,
        Work.NOTHING,
    ),
}
"""Operation, lock, and the work on SQLite and on PostgreSQL."""


@pytest.mark.django_db
@pytest.mark.parametrize("case", EFFECTS)
def test_the_lock_and_the_work_depend_on_the_operation_and_the_database(case: str) -> None:
    operation, lock, on_sqlite, on_postgresql = EFFECTS[case]
    work = {"sqlite": on_sqlite, "postgresql": on_postgresql}[connection.vendor]
    [effect] = planned(operation).effects
    assert effect == Effect(operation.describe(), TABLE, lock, work)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "operation",
    [
        alter(help_text="what the sender called it"),
        migrations.CreateModel("Novelty", [("id", models.BigAutoField(primary_key=True))]),
        migrations.AlterModelOptions("updatejob", {"ordering": ["pk"]}),
    ],
    ids=["help text", "new table", "options"],
)
def test_what_changes_no_table_locks_none(operation: Operation) -> None:
    assert planned(operation).effects == [Effect(operation.describe())]


@pytest.mark.django_db
def test_the_time_of_code_is_not_known(maple: District) -> None:
    code = migrations.RunPython(migrations.RunPython.noop)
    inner = migrations.SeparateDatabaseAndState(database_operations=[code])
    *_, total = migration_plan.describe([planned(inner)])
    assert total.startswith("1 migration, less than 1 second, and longer for what depends on the ")


@pytest.mark.django_db
def test_rows_and_seconds_are_estimated_from_the_table(
    maple: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = migrations.AddIndex("district", models.Index(fields=["name"], name="news"))
    plan = [planned_in("districts", index)]
    name, line, total = migration_plan.describe(plan)
    assert name == "districts.9001_news"
    assert line.endswith(": nobody can write to districts_district (1 row), less than 1 second")
    monkeypatch.setattr(migration_plan, "_count_rows", lambda table: 13_000_000)
    _, line, total = migration_plan.describe(plan)
    assert line.endswith(" districts_district (13,000,000 rows), about 2 minutes")
    assert total.startswith("1 migration, about 2 minutes. ")


@pytest.mark.django_db
def test_a_table_that_the_plan_creates_has_no_rows() -> None:
    create = migrations.CreateModel("Novelty", [("id", models.BigAutoField(primary_key=True))])
    column = migrations.AddField("novelty", "news", models.TextField(null=True))
    *_, line, _ = migration_plan.describe([planned(create, column)])
    assert line.endswith(" updates_novelty (0 rows), less than 1 second")


@pytest.mark.django_db
def test_a_database_of_this_version_has_no_plan() -> None:
    assert migration_plan.make_plan() == []
    assert list(migration_plan.describe([])) == []
