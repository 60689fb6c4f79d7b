"""Checks whether the tables are those of this version of Rollbook."""

from collections.abc import Iterator

from django.apps import apps
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from rollbook.db.schema_version import DatabaseIsNewer, require_not_newer
from rollbook.db.triggers import missing_triggers
from rollbook.doctor.installation import Installation
from rollbook.doctor.result import CheckResult, error, ok, warning
from rollbook.text import count_of, join_words


def check(installation: Installation) -> Iterator[CheckResult]:
    """Compare the migrations recorded in the database with those of this version."""
    try:
        require_not_newer()
    except DatabaseIsNewer as newer:
        what, _, fix = str(newer).partition("; ")
        yield error(what, fix)
        return
    executor = MigrationExecutor(connection)
    done = executor.loader.applied_migrations
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        what = "the database is empty"
        if done:
            what = f"{count_of(len(missing), 'migration')} not yet applied"
        yield warning(what, "back it up, then run `rollbook migrate`")
        return
    damaged = list(_missing_parts())
    yield from damaged
    if not damaged:
        installation.tables = True
        yield ok(f"all {len(done)} are applied")


def _missing_parts() -> Iterator[CheckResult]:
    """Find tables and triggers that somebody removed, as no migration has."""
    models = apps.get_models(include_auto_created=True)
    expected = {model._meta.db_table for model in models if model._meta.managed}
    tables = sorted(expected - set(connection.introspection.table_names()))
    if tables:
        yield error(
            f"the table {join_words(tables)} is missing, although it was created",
            "restore the last backup, see docs/backup.md",
        )
    elif triggers := missing_triggers(connection):
        yield error(
            f"the trigger {join_words(triggers)} is missing, which keeps wrong states out",
            "run `rollbook migrate`, which creates it again",
        )
