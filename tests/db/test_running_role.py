"""The grants of the lesser role are given in one transaction, and as often as wanted."""

from collections.abc import Iterator

import pytest
from django.db import connection, transaction

from rollbook.db import running_role

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.only_on("postgresql"),
    pytest.mark.statement("S56"),
]

ROLE = "pg_monitor"
"""A role that every server has. The test's transaction takes the grants back."""


def privileges() -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, COALESCE(relacl::text, '') FROM pg_class"
            " WHERE relnamespace = current_schema()::regnamespace ORDER BY relname"
        )
        return list(cursor.fetchall())


def test_a_kill_at_any_statement_changes_nothing_and_the_next_try_finishes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = privileges()
    statements = list(running_role._statements(ROLE))
    assert len(statements) > 20
    for position in range(0, len(statements), 7):

        def cut(role: str, position: int = position) -> Iterator[str]:
            return iter([*statements[:position], "SELECT killed()"])

        with monkeypatch.context() as patch, transaction.atomic():
            patch.setattr(running_role, "_statements", cut)
            with pytest.raises(Exception, match="killed"):
                running_role.grant(ROLE)
        assert privileges() == before
    running_role.grant(ROLE)
    granted = privileges()
    assert granted != before
    running_role.grant(ROLE)
    assert privileges() == granted
