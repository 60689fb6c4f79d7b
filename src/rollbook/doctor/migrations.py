"""Checks whether the tables are those of this version of Rollbook."""

from collections.abc import Iterator

from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from rollbook.db.schema_version import DatabaseIsNewer, require_not_newer
from rollbook.doctor.installation import Installation
from rollbook.doctor.result import CheckResult, error, ok, warning
from rollbook.text import count_of


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
    else:
        installation.tables = True
        yield ok(f"all {len(done)} are applied")
