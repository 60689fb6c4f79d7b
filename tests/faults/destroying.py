"""Tasks of the tests of deletions: ``python -m tests.faults.destroying TASK ARGUMENTS``.

ROLLBOOK_DATA names the folder. Batches are small, so there are many points of failure.
"""

import json
import sys
from pathlib import Path

import django

django.setup()

from django.conf import settings  # noqa: E402

from rollbook.accounts.audit import seals  # noqa: E402
from rollbook.cli import run  # noqa: E402
from rollbook.operations.lifecycle import deletion, resumption  # noqa: E402
from rollbook.operations.models import Destruction  # noqa: E402
from tests.conftest import make_district  # noqa: E402
from tests.faults.inside import dying_at  # noqa: E402
from tests.operations.lifecycle.district import files, fill, rows  # noqa: E402

LASTING = {
    "accounts.AuditEvent",
    "accounts.AuditSeal",
    "accounts.KeyFingerprint",
    "operations.Destruction",
}

deletion.STUDENTS_PER_BATCH = 2
deletion.ROWS_PER_BATCH = 2
deletion.MEMBERS_PER_BATCH = 1


def make(name: str) -> None:
    """Add a district that has something of everything."""
    Path(settings.SPOOL).mkdir(mode=0o700, exist_ok=True)
    fill(make_district(name, "100", "200"))


def delete_until(statement: str) -> None:
    """Delete Maple USD, but die at this SQL statement; print the count if it isn't reached."""
    command = ["district", "delete", "maple-usd", "--without-export", "--name", "Maple USD"]
    with dying_at(int(statement)) as left:
        code = run(command)
    print(f"\n{int(statement) - left()}")
    sys.exit(code)


def resume() -> None:
    """Do what the worker does."""
    while resumption.continue_unfinished():
        pass


def dump() -> None:
    """Print all rows and files but those that a deletion leaves, its counts, and the audit."""
    kept = {name: table for name, table in rows().items() if name not in LASTING}
    print(
        json.dumps(
            {
                "rows": kept,
                "files": sorted(files()),
                "counts": list(Destruction.objects.values_list("counts", flat=True)),
                "broken": len(seals.verify().broken),
            }
        )
    )


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
