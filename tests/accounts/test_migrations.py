"""Migrations of roles that were stored before."""

from importlib import import_module
from typing import Any

import pytest
from django.apps import apps

from rollbook.accounts.models import Role
from rollbook.districts.models import District

migration: Any = import_module("rollbook.accounts.migrations.0009_confidential_fields")

SEE, CONFIDENTIAL, UPDATE = "see students", "see confidential fields", "update students"


@pytest.mark.parametrize(
    ("type_", "before", "after"),
    [
        ("district manager", [], []),
        ("district manager", [UPDATE], [UPDATE, SEE, CONFIDENTIAL]),
        ("district manager", [SEE], [SEE, CONFIDENTIAL]),
        ("district manager", ["manage settings"], ["manage settings"]),
        ("school manager", [SEE, "edit students"], [SEE, "edit students", CONFIDENTIAL]),
        ("instructor", [SEE], [SEE]),
    ],
)
def test_roles_keep_what_they_could_do_but_instructors(
    maple: District, type_: str, before: list[str], after: list[str]
) -> None:
    role = Role.objects.create(
        district=maple, type=type_, name="Clerk", name_key="clerk", permissions=before
    )
    for _ in range(2):
        migration.add_permissions(apps, None)
        role.refresh_from_db()
        assert role.permissions == after
