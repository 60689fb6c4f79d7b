"""Whether the tables are those of this version of Rollbook: older ones are brought up to date, newer ones are not."""

from collections.abc import Iterator

from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from rollbook.db.schema_version import DatabaseIsNewer, require_not_newer
from rollbook.doctor.installation import Installation
from rollbook.doctor.result import CheckResult, error, ok, warning
from rollbook.text import count_of


def check(here: Installation) -> Iterator[CheckResult]:
    """What is recorded in the database against what is on the disk."""
    try:
        require_not_newer()
    except DatabaseIsNewer as newer:
        what, _, repair = str(newer).partition("; ")
        yield error(what, repair)
        return
    executor = MigrationExecutor(connection)
    done = executor.loader.applied_migrations
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        what = f"{count_of(len(missing), 'migration')} to come" if done else "the database is empty"
        yield warning(
            what,
            "the next start, or any other command, brings it up to this version; have a backup first",
        )
    else:
        here.tables = True
        yield ok(f"all {len(done)} are done")
