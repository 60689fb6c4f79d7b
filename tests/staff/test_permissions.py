"""What each role may do."""

import pytest

from rollbook.staff.permissions import GRANTED, Permission, Role, may


@pytest.mark.parametrize(
    ("role", "is_allowed"), [("district manager", True), ("school manager", False), ("instructor", False)]
)
def test_only_district_managers_may_update_students(role: str, is_allowed: bool) -> None:
    assert may(role, Permission.UPDATE_STUDENTS) == is_allowed


def test_every_role_has_its_rights_written_down() -> None:
    assert set(GRANTED) == set(Role)
