"""Migrations of roles that were stored before."""

from importlib import import_module
from typing import Any

import pytest
from django.apps import apps

from rollbook.accounts.models import Role
from rollbook.districts.models import District

migration: Any = import_module("rollbook.accounts.migrations.0009_confidential_fields")
approving: Any = import_module("rollbook.accounts.migrations.0015_approve_updates")

SEE, CONFIDENTIAL, UPDATE = "see students", "see confidential fields", "update students"
APPROVE = "approve updates"


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


@pytest.mark.parametrize(
    ("type_", "is_standard", "before", "after"),
    [
        ("district manager", True, [SEE, UPDATE], [SEE, UPDATE, APPROVE]),
        ("district manager", True, [SEE], [SEE]),
        ("district manager", False, [SEE, UPDATE], [SEE, UPDATE]),
        ("school manager", True, [SEE], [SEE]),
    ],
)
def test_only_standard_district_managers_get_to_approve_updates(
    maple: District, type_: str, is_standard: bool, before: list[str], after: list[str]
) -> None:
    role, _ = Role.objects.update_or_create(
        district=maple,
        type=type_,
        is_standard=is_standard,
        defaults={"name": type_, "name_key": f"{type_} {is_standard}", "permissions": before},
    )
    for _ in range(2):
        approving.add_permission(apps, None)
        role.refresh_from_db()
        assert role.permissions == after
