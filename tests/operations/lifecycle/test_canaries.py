"""Nothing of a deleted district is found in the bytes of the database, the folders and emails."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from tests import depth
from tests.installations import execute, installed
from tests.operations.places import rollbook, variables
from tests.prepared import prepared

pytestmark = pytest.mark.process

CANARY = re.compile(rb"zq[a-z]{14}", re.IGNORECASE)


def fill(data: Path, count: int) -> set[bytes]:
    """Fill a district; return the canaries, which case folding may have changed since."""
    done = prepared().run(
        "tests.operations.lifecycle.canaries", str(count), environment=variables(data)
    )
    assert done.code == 0, done.err
    return {line.lower().encode() for line in done.out.splitlines()}


ROWS = (
    "WITH s AS MATERIALIZED (SELECT set_config('bytea_output', 'escape', false))"
    " SELECT convert_to(t::text, 'UTF8') FROM s, {table} t"
)
"""All rows of a table as text, with the text in columns of bytes readable."""


def contents(data: Path) -> Iterator[tuple[str, bytes]]:
    """Yield everything that is stored: raw files, and the rows of PostgreSQL."""
    for path in data.rglob("*"):
        if path.is_file():
            yield str(path.relative_to(data)), path.read_bytes()
    if settings.ON_POSTGRESQL:
        tables = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
        for (table,) in execute(data, tables):
            rows = execute(data, ROWS.format(table=table))
            yield table, b"\n".join(bytes(row) for (row,) in rows)


def found(data: Path, canaries: set[bytes]) -> dict[str, int]:
    """Return where canaries are, and how many."""
    places = {
        name: len(canaries & {match.lower() for match in CANARY.findall(content)})
        for name, content in contents(data)
    }
    return {name: count for name, count in places.items() if count}


@pytest.mark.statement("S42", "S43")
def test_no_canary_of_a_deleted_district_is_found(tmp_path: Path) -> None:
    data = installed(tmp_path / "data")
    least = depth.choose(daily=600, nightly=10_000)
    canaries = fill(data, least // 2)  # each student is in two files, with other texts
    assert len(canaries) >= least
    before = found(data, canaries)
    assert any(name.startswith("mail/") for name in before), "no email was saved"
    assert max(before.values()) > len(canaries) / 4, before
    rollbook(data, "district", "suspend", "maple-usd", "--reason", "it leaves")
    rollbook(data, "district", "export", "maple-usd", tmp_path / "export.zip")
    rollbook(data, "district", "delete", "maple-usd", "--name", "Maple USD")
    assert found(data, canaries) == {}
